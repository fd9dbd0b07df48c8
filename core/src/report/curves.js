// Learning curves: per selected group, a line for the mean over seeds and a band for its interval.

// Okabe and Ito 2008 without black and yellow, each of which is invisible in one theme; further groups are dashed.
const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#7f7f7f"];
const dashes = [[], [6, 3], [2, 2], [8, 3, 2, 3]];
const groupsAtFirst = 8;

const colourOf = (group) => colours[group % colours.length];
const dashOf = (group) => dashes[Math.floor(group / colours.length) % dashes.length];

function labelOf(report, group) { return report.groups[group].label; }

// Upper edge, lower edge and mean; the first is filled down to the second.
function datasetsOf(report, curve) {
  const colour = colourOf(curve.group);
  const edge = (sign) => curve.step.map((step, i) => ({
    x: step, y: curve.half_width[i] === null ? NaN : curve.mean[i] + sign * curve.half_width[i],
  }));
  const band = { borderWidth: 0, pointRadius: 0, pointHitRadius: 0, backgroundColor: colour + "33", isBand: true };
  return [
    { ...band, data: edge(1), fill: "+1" },
    { ...band, data: edge(-1), fill: false },
    {
      label: labelOf(report, curve.group), data: curve.step.map((step, i) => ({ x: step, y: curve.mean[i] })),
      curve, borderColor: colour, backgroundColor: colour, borderDash: dashOf(curve.group), borderWidth: 1.5,
      pointRadius: curve.step.length < 2 ? 3 : 0, pointHitRadius: 4, fill: false,
    },
  ];
}

function tooltipText(item) {
  const { curve, label } = item.dataset, i = item.dataIndex;
  const spread = curve.half_width[i] === null ? "" : ` \u00b1 ${curve.half_width[i]}`;
  return `${label}: ${curve.mean[i]}${spread} (n = ${curve.n[i]})`;
}

function chartOptions(family, logarithmic) {
  const style = getComputedStyle(document.body), line = getComputedStyle(document.querySelector("header")).borderBottomColor;
  const axis = (text, type) => ({
    type, title: { display: true, text, color: style.color }, ticks: { color: style.color }, grid: { color: line },
  });
  const unit = family.unit ? ` (${family.unit})` : "";
  return {
    animation: false, parsing: false, normalized: true, maintainAspectRatio: false,
    interaction: { mode: "nearest", axis: "x", intersect: false },
    scales: { x: axis("step", "linear"), y: axis(family.name + unit, logarithmic ? "logarithmic" : "linear") },
    plugins: {
      legend: { display: false },
      tooltip: {
        filter: (item) => !item.dataset.isBand,
        callbacks: { title: (items) => items.length ? `step ${items[0].parsed.x}` : "", label: tooltipText },
      },
    },
  };
}

function captionOf(report, family) {
  const most = Math.max(...family.curves.map((curve) => curve.logged_steps));
  const thinned = most > report.curves.most_points
    ? ` Curves with more than ${report.curves.most_points} logged steps (here up to ${most}) show ` +
      `${report.curves.most_points} evenly spaced ones.` : "";
  const text = family.name.startsWith("train.") ? "" : ", on this held-out text";
  return `The line is the mean over seeds${text}; the band is its 95% Student-t interval at each step where at least two ` +
    `seeds have a value. A seed that stopped has no values after its last step; hover over a curve to see n.${thinned}`;
}

// Returns a function that redraws the chart, for a changed theme.
function setUpCurves(report) {
  const { families } = report.curves;
  if (families.length === 0) {
    document.getElementById("curves").replaceChildren(make("h2", {}, "Learning curves"), make("p", {}, "No run has logged a metric yet."));
    return () => {};
  }
  const canvas = document.getElementById("chart"), metric = document.getElementById("metric");
  const logarithmic = document.getElementById("log-scale"), fieldset = document.getElementById("groups");
  metric.append(...families.map((family, i) => make("option", { value: i }, family.name)));
  const before = kept.get("curves") || {};
  metric.value = Math.max(families.findIndex((family) => family.name === before.metric), 0);
  logarithmic.checked = before.logarithmic === true;
  const boxes = report.groups.map((group, g) => {
    const box = make("input", { type: "checkbox" });
    box.checked = before.groups ? before.groups.includes(group.group) : g < groupsAtFirst || group.baseline;
    const swatch = make("span", { class: "swatch" });
    swatch.style.borderTopColor = colourOf(g);
    swatch.style.borderTopStyle = dashOf(g).length ? "dashed" : "solid";
    const runs = group.incomplete ? `: ${group.incomplete}` : "";
    fieldset.append(make("label", {}, box, swatch, make("span", {}, labelOf(report, g) + runs)));
    return box;
  });
  let chart = null;
  const draw = () => {
    const family = families[metric.value];
    const shown = family.curves.filter((curve) => boxes[curve.group].checked);
    if (chart) chart.destroy();
    chart = new Chart(canvas, {
      type: "line",
      data: { datasets: shown.flatMap((curve) => datasetsOf(report, curve)) },
      options: chartOptions(family, logarithmic.checked),
    });
    canvas.setAttribute("aria-label", `${family.name} against step: ${shown.map((curve) => labelOf(report, curve.group)).join(", ")}`);
    document.getElementById("curves-caption").textContent = captionOf(report, family);
  };
  const drawSelected = () => {
    const groups = report.groups.filter((_, g) => boxes[g].checked).map((group) => group.group);
    kept.set("curves", { metric: families[metric.value].name, logarithmic: logarithmic.checked, groups });
    draw();
  };
  const selectAll = (checked) => () => {
    for (const box of boxes) box.checked = checked;
    drawSelected();
  };
  for (const control of [metric, logarithmic, ...boxes]) control.addEventListener("change", drawSelected);
  document.getElementById("all-groups").addEventListener("click", selectAll(true));
  document.getElementById("no-groups").addEventListener("click", selectAll(false));
  draw();
  return draw;
}
