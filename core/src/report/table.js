// Tables of text, and the sortable table of results.

// make("td", {title: "..."}, "text", child...): an element; text never becomes markup.
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function fillTable(table, headings, rows) {
  if (headings.length > 0)
    table.append(make("thead", {}, make("tr", {}, ...headings.map((text) => make("th", { scope: "col" }, text)))));
  table.append(make("tbody", {}, ...rows.map(([first, ...rest]) =>
    make("tr", {}, make("th", { scope: "row" }, first), ...rest.map((text) => make("td", {}, text))))));
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

// A table below the results, where there is one.
function showBelow(id, grid) {
  const place = document.getElementById(id);
  place.hidden = grid.length === 0;
  if (grid.length > 0) fillTable(place.querySelector("table"), grid[0], grid.slice(1));
}

function setUpResults(report) {
  const { grid, sort_keys: keys, rows, columns } = report.table;
  const table = document.getElementById("table");
  const body = make("tbody");
  const lines = rows.map((row, r) => {
    const cells = grid[r + 1].slice(1).map((text, c) => {
      const cell = make("td", {}, text);
      if (keys[r][c + 1] !== null) cell.dataset.value = keys[r][c + 1];
      return cell;
    });
    return make("tr", row.baseline ? { class: "baseline" } : {}, make("th", { scope: "row" }, grid[r + 1][0]), ...cells);
  });
  const next = { none: "ascending", ascending: "descending", descending: "none" };
  const headings = grid[0].map((text, column) => {
    const about = column > 0 && columns[column - 1];
    const title = about ? [about.unit, about.direction === "none" ? "" : about.direction + " is better"] : [];
    const button = make("button", { type: "button", title: title.filter(Boolean).join(", ") }, text);
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
  table.append(make("caption", {}, report.table.spread), make("thead", {}, make("tr", {}, ...headings)), body);
  showBelow("tuned", report.table.tuned);
  showBelow("comparison", report.table.comparison);
  document.getElementById("notes").append(...report.table.notes.map((note) => make("li", {}, note)));
}
