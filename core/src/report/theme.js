// The theme (light, dark or the system's), and settings that persist across reloads of the page.
"use strict";

// JSON values by name, separate for each file. Some browsers allow a file no storage; then nothing persists.
const kept = {
  key: (name) => `assay-report ${location.pathname} ${name}`,
  get(name) { try { return JSON.parse(localStorage.getItem(this.key(name))); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(this.key(name), JSON.stringify(value)); } catch { /* see above */ } },
};

const themes = ["system", "light", "dark"];

function setUpTheme(changed) {
  const button = document.getElementById("theme");
  let theme = themes.includes(kept.get("theme")) ? kept.get("theme") : "system";
  const show = () => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = "Theme: " + theme;
  };
  show();
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    kept.set("theme", theme);
    show();
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  // Paper is white, so the chart is redrawn in the light theme.
  addEventListener("beforeprint", () => { document.documentElement.dataset.theme = "light"; changed(); });
  addEventListener("afterprint", () => { show(); changed(); });
}
