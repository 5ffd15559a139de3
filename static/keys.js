// The keyboard: / and Ctrl-K search, j k Enter in lists, l y e on what is open, ? help, Esc closes.
const typing = (element) => element.closest?.("input, textarea, select, [contenteditable]");
const modal = () => document.querySelector("dialog:modal");

function rows() {
  return [...document.querySelectorAll("#main tr[data-row-href]")].filter((row) => row.offsetParent);
}
const current = () => document.querySelector("tr[data-ui-current]");

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 && step < 0 ? 0 : at + step))];
  current()?.removeAttribute("data-ui-current");
  next.setAttribute("data-ui-current", "");
  next.scrollIntoView({ block: "nearest" });
  (next.querySelector("a[href]") ?? next).focus({ preventScroll: true }); // its name is read out
}

function press(key) {
  const selector = `[data-shortcut="${CSS.escape(key)}"]`;
  const places = [document.getElementById("drawer"), current(), document.getElementById("main")];
  const found = places.map((place) => place?.querySelector(selector)).find(Boolean);
  found?.click();
  return Boolean(found);
}

function search() {
  const input = document.getElementById("search");
  input?.focus();
  input?.select();
  return Boolean(input);
}

const keys = {
  "/": search,
  j: () => { move(1); return true; },
  k: () => { move(-1); return true; },
  "?": () => { document.getElementById("shortcuts")?.showModal(); return true; },
};

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && !modal()) return search() && event.preventDefault();
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && !modal() && !document.querySelector(":popover-open")) {
    if (typing(event.target)) event.target.blur();
    else document.dispatchEvent(new CustomEvent("mcm:close-drawer"));
    return;
  }
  if (modal() || typing(event.target)) return;
  if (event.key === "Enter") {
    const row = current();
    if (row && (event.target === document.body || event.target === row)) row.dispatchEvent(new CustomEvent("mcm:open-row", { bubbles: true }));
    return;
  }
  const done = keys[event.key]?.() ?? (/^[a-z]$/.test(event.key) && press(event.key));
  if (done) event.preventDefault();
});
