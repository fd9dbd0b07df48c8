// Renders the report's data into the page.

function plural(count, noun) { return `${count} ${noun}${count === 1 ? "" : "s"}`; }

function statusText(status) {
  const parts = ["done", "running", "failed", "preempted", "cancelled", "pruned", "queued"].filter((name) => status[name] > 0);
  if (status.planned === 0) return "No runs are planned.";
  return `${plural(status.planned, "run")}: ` + parts.map((name) => `${status[name]} ${name}`).join(", ");
}

function showClaims({ verdicts, captions }) {
  const section = document.getElementById("claims");
  section.hidden = verdicts.length === 0;
  for (const claim of verdicts)
    section.append(make("div", { class: "claim " + claim.verdict },
      make("span", { class: "verdict" }, claim.verdict), ": " + claim.says + (claim.source ? ` (${claim.source})` : ""),
      make("ul", {}, ...claim.details.map((line) => make("li", {}, line)))));
  section.append(...captions.map((line) => make("p", { class: "note" }, line)));
}

function showFailures(failures, skipped) {
  const section = document.getElementById("failures");
  if (failures.length === 0) section.append(make("p", {}, "No run has failed."));
  for (const { label, seed, text } of skipped)
    section.append(make("p", { class: "bad" }, `${label} seed=${seed}: ${text}. They updated no parameters; the run's events.jsonl gives the reasons.`));
  for (const failure of failures) {
    const why = [failure.class, failure.ending].filter(Boolean).join(", ");
    section.append(
      make("h3", {}, `${failure.label} seed=${failure.seed}`),
      make("p", { class: "bad" }, failure.reason + (why ? ` (${why})` : "")));
    if (failure.log.length > 0)
      section.append(make("details", {},
        make("summary", {}, `Last ${plural(failure.log.length, "line")} of runs/${failure.train_id}/log.txt`),
        make("pre", {}, failure.log.join("\n"))));
  }
}

// Texts that a run's evaluations recorded, one example per row.
function showExamples(examples) {
  const section = document.getElementById("examples");
  section.hidden = examples.length === 0;
  if (section.hidden) return;
  const select = document.getElementById("examples-run");
  select.append(...examples.map(({ label, seed }, place) => make("option", { value: place }, `${label} seed=${seed}`)));
  const show = () => {
    const { columns, rows } = examples[select.value];
    section.querySelector("table").replaceChildren();
    fillTable(section.querySelector("table"), columns, rows);
  };
  select.addEventListener("change", show);
  show();
}

// Rows are keys or runs, whichever there are more of.
function showConfiguration(report) {
  const { keys, values, common } = report.configuration;
  const labels = values.map((_, group) => labelOf(report, group));
  const shown = (group, key) => values[group][key] || "\u2013";
  const table = document.getElementById("differences");
  document.getElementById("same").hidden = keys.length > 0;
  table.parentElement.hidden = keys.length === 0;
  if (keys.length > labels.length)
    fillTable(table, ["key", ...labels], keys.map((name, key) => [name, ...labels.map((_, group) => shown(group, key))]));
  else
    fillTable(table, ["run", ...keys], labels.map((label, group) => [label, ...keys.map((_, key) => shown(group, key))]));
  fillTable(document.getElementById("common"), [], common);
}

// Prints collapsed details expanded.
function setUpPrinting() {
  let expanded = [];
  addEventListener("beforeprint", () => {
    expanded = [...document.querySelectorAll("main details:not([open])")];
    for (const details of expanded) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of expanded) details.open = false; });
}

// While a sweep runs, the file is rewritten from time to time; a page opened from a file cannot detect that.
function setUpReloading(seconds) {
  const button = document.getElementById("reloading");
  if (seconds === 0) return;
  let timer = null;
  const show = () => { button.textContent = timer ? `Pause reloading (every ${seconds} s)` : "Resume reloading"; };
  const toggle = () => {
    if (timer) { clearTimeout(timer); timer = null; } else timer = setTimeout(() => location.reload(), 1000 * seconds);
    show();
  };
  button.hidden = false;
  button.addEventListener("click", toggle);
  toggle();
}

const report = JSON.parse(document.getElementById("report-data").textContent);
document.getElementById("status").textContent = statusText(report.status);
let drawCurves = () => {};
setUpTheme(() => drawCurves());
setUpResults(report);
drawCurves = setUpCurves(report);
showClaims(report.claims);
showExamples(report.examples);
showFailures(report.failures, report.skipped);
showConfiguration(report);
fillTable(document.getElementById("provenance"), [], Object.entries(report.table.provenance));
setUpPrinting();
setUpReloading(report.reload_seconds);
