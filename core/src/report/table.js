// Tables of text, and the sortable table of results.

// make("td", {title: "..."}, "text", child...): an element; text never becomes markup.
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// A heading of a row or column, whose long labels wrap within a width that leaves room for the values.
function makeHeading(scope, text) { return make("th", { scope }, make("span", { class: "label" }, text)); }

function fillTable(table, headings, rows) {
  if (headings.length > 0)
    table.append(make("thead", {}, make("tr", {}, ...headings.map((text) => makeHeading("col", text)))));
  table.append(make("tbody", {}, ...rows.map(([first, ...rest]) =>
    make("tr", {}, makeHeading("row", first), ...rest.map((text) => make("td", {}, text))))));
}

// Rows without a value come last in both directions; equal ones keep the order of the plan.
function sortedRows(keys, column, direction) {
  const order = keys.map((_, row) => row);
  if (direction === "none") return order;
  const sign = direction === "ascending" ? 1 : -1;
  const compare = (a, b) =>
    typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b;
  return order.sort((first, second) => {
    const a = keys[first][column], b = keys[second][column];
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * compare(a, b);
  });
}

// Columns that say what a run cost. A test compares them with those of `assay compare`.
const costs = ["train.parameters", "train.tokens", "train.flops", "train.flops_exact", "train.seconds",
  "train.tokens_per_second", "train.peak_memory"];

// Columns of the grid in the order that the page shows: the row's label, scores, costs, n.
function columnOrder(columns) {
  const isCost = ({ name }) => costs.includes(name);
  const placesOf = (wanted) => columns.flatMap((column, i) => isCost(column) === wanted ? [i + 1] : []);
  return [0, ...placesOf(false), ...placesOf(true), columns.length + 1];
}

// A metric's name may wrap after "@" and ",", so that its coordinates do not widen the column.
function metricParts(title) { return title.split(/(?<=[@,])/).map((part) => make("span", {}, part)); }

// Shows a table below the results, or hides its place where there are no rows.
function showBelow(id, grid) {
  const place = document.getElementById(id);
  place.hidden = grid.length === 0;
  if (grid.length > 0) fillTable(place.querySelector("table"), grid[0], grid.slice(1));
}

function setUpResults(report) {
  const { rows } = report.table;
  const order = columnOrder(report.table.columns);
  const inOrder = (line) => order.map((column) => line[column]);
  const grid = report.table.grid.map(inOrder), keys = report.table.sort_keys.map(inOrder);
  const columns = inOrder([null, ...report.table.columns, null]);
  const table = document.getElementById("table");
  const body = make("tbody");
  const lines = rows.map((row, r) => {
    const cells = grid[r + 1].slice(1).map((text, c) => {
      const cell = make("td", {}, text);
      if (keys[r][c + 1] !== null) cell.dataset.value = keys[r][c + 1];
      return cell;
    });
    return make("tr", row.baseline ? { class: "baseline" } : {}, makeHeading("row", grid[r + 1][0]), ...cells);
  });
  const next = { none: "ascending", ascending: "descending", descending: "none" };
  const headings = grid[0].map((text, column) => {
    const about = columns[column];
    const title = about ? [about.unit, about.direction === "none" ? "" : about.direction + " is better"] : [];
    const button = make("button", { type: "button", title: title.filter(Boolean).join(", ") }, ...metricParts(text));
    const heading = make("th", { scope: "col", "aria-sort": "none" }, button);
    button.addEventListener("click", () => sort(column, next[heading.getAttribute("aria-sort")]));
    return heading;
  });
  const sort = (column, direction) => {
    for (const heading of headings) heading.setAttribute("aria-sort", "none");
    headings[column].setAttribute("aria-sort", direction);
    body.append(...sortedRows(keys, column, direction).map((row) => lines[row]));
    kept.set("sort", { column: grid[0][column], direction });
  };
  const before = kept.get("sort"), column = before ? grid[0].indexOf(before.column) : -1;
  sort(Math.max(column, 0), column < 0 ? "none" : before.direction);
  document.getElementById("spread").textContent = report.table.spread;
  table.append(make("thead", {}, make("tr", {}, ...headings)), body);
  showBelow("tuned", report.table.tuned);
  showBelow("comparison", report.table.comparison);
  document.getElementById("notes").append(...report.table.notes.map((note) => make("li", {}, note)));
}
