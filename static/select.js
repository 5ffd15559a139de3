// Rows that are selected, by their keys: what is shown may change under them. Others who act on them
// read `#selection[data-keys]` and listen to "mcm:selected".
const bar = document.getElementById("selection");
const texts = bar?.dataset ?? {};
const most = Number(texts.most);
const selected = new Map(); // key -> name
let last = null; // the key that was ticked last: a range begins there
let filter = "";

const list = () => document.querySelector("[data-live-rows-url]");
const boxes = () => [...document.querySelectorAll("#main input[data-pick]")];
const nameOf = (box) => box.closest("tr").querySelector("a[data-drawer]").textContent;
const query = () => new URL(list()?.dataset.liveUrl ?? location.href, location.href).searchParams;

/** What decides which rows there are: another order or other columns keep a selection. */
function filterNow() {
  const parameters = query();
  for (const name of ["sort", "columns", "after"]) parameters.delete(name);
  return String(parameters);
}

function pick(key, name, on) {
  if (!on) selected.delete(key);
  else if (selected.size < most || selected.has(key)) selected.set(key, name);
  else return false;
  return true;
}

function show() {
  for (const box of boxes()) {
    box.checked = selected.has(box.value);
    box.closest("tr").toggleAttribute("data-ui-selected", box.checked);
  }
  bar.hidden = selected.size === 0;
  bar.querySelector("[data-count]").textContent = new Intl.NumberFormat(document.documentElement.lang).format(selected.size);
  const keys = [...selected.keys()];
  bar.dataset.keys = keys.join(",");
  for (const act of bar.querySelectorAll("a[data-act]")) act.search = `ids=${bar.dataset.keys}`;
  const found = `id:${keys.join(",")}`;
  link("query", `${texts.list}?${new URLSearchParams({ q: found })}`, keys.length > Number(texts.mostAsked) || found.length > 1000);
  const file = query();
  file.delete("after");
  file.set("rows", keys.join(","));
  link("csv", `${texts.csv}?${file}`, false);
  const logs = bar.querySelector('a[data-select="logs"]');
  if (logs) logs.search = String(new URLSearchParams({ object: keys.join(",") }));
  if (bar.querySelector('a[data-select="terminal"]')) link("terminal", `/terminal/${keys[0] ?? 0}/`, keys.length !== 1);
  document.dispatchEvent(new CustomEvent("mcm:selected", { detail: { keys } }));
}

function link(name, href, isTooLong) {
  const element = bar.querySelector(`a[data-select="${name}"]`);
  element.href = href;
  if (isTooLong) element.setAttribute("aria-disabled", "true");
  else element.removeAttribute("aria-disabled");
  element.title = isTooLong ? element.dataset.tooLong : "";
}

const toast = (level, text) => document.dispatchEvent(new CustomEvent("mcm:toast", { detail: { level, text } }));

/** One row, or with `range` all from the one before to it. */
function toggle(box, on, range) {
  const all = boxes();
  const from = range && last !== null ? all.findIndex((other) => other.value === last) : -1;
  const to = all.indexOf(box);
  const some = from < 0 ? [box] : all.slice(Math.min(from, to), Math.max(from, to) + 1);
  const fitted = some.map((other) => pick(other.value, nameOf(other), on)).every(Boolean);
  last = box.value;
  show();
  if (!fitted) toast("warning", texts.textMost);
}

async function all() {
  const url = new URL(texts.all, location.href);
  for (const [name, value] of query()) url.searchParams.append(name, value);
  try {
    const reply = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin", signal: AbortSignal.timeout(15000) });
    if (!reply.ok) throw new Error(String(reply.status));
    const { rows, more } = await reply.json();
    selected.clear();
    for (const { key, name } of rows) selected.set(key, name);
    show();
    if (more) toast("info", texts.textMost);
  } catch { toast("danger", document.getElementById("texts")?.dataset.network); }
}

async function copy() {
  try {
    await navigator.clipboard.writeText([...selected.values()].join("\n"));
    toast("success", texts.textCopied);
  } catch { toast("warning", texts.textNotCopied); }
}

/** In what is selected, or else in the current row. */
function terminalIn(box) {
  const link = bar.querySelector('a[data-select="terminal"]');
  if (!link || document.getElementById("drawer")?.childElementCount) return;
  if (selected.size < 2) location.assign(`/terminal/${selected.keys().next().value ?? box.value}/`);
}

/** Of all that is selected, or else of the current row; the drawer has a key of its own. */
function logsOf(box) {
  const link = bar.querySelector('a[data-select="logs"]');
  if (!link || document.getElementById("drawer")?.childElementCount) return;
  if (selected.size) link.click();
  else location.assign(`${link.pathname}?object=${box.value}`);
}

const acts = {
  shown: () => { for (const box of boxes()) pick(box.value, nameOf(box), true); show(); },
  all,
  copy,
  clear: () => { selected.clear(); last = null; show(); },
};

if (bar) {
  filter = filterNow();
  document.addEventListener("click", (event) => {
    const box = event.target.closest?.("input[data-pick]");
    if (box) return toggle(box, box.checked, event.shiftKey);
    acts[event.target.closest?.("#selection button[data-select]")?.dataset.select]?.();
  });
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || !["x", "X", "l", "s"].includes(event.key)) return;
    if (event.target.closest?.("input:not([data-pick]), textarea, select, dialog")) return;
    const box = document.querySelector("tr[data-ui-current] input[data-pick]");
    if (!box) return;
    if (event.key === "l") return logsOf(box);
    if (event.key === "s") return terminalIn(box);
    event.preventDefault();
    toggle(box, event.key === "X" || !selected.has(box.value), event.key === "X");
  });
  let frame = 0; // once before the next paint, however many rows were swapped
  document.addEventListener("htmx:after:swap", () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (filter !== (filter = filterNow())) selected.clear();
      show();
    });
  });
  show(); // what the browser ticked again by itself
}
