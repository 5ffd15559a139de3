// Completes the typed query above a list: a combobox as ARIA describes it. The list of options stands
// outside what live updates morph; the field is found anew at each event.
const WAIT = 120; // ms after the last key
const box = document.getElementById("query-options");
let timer = 0;
let asked = 0;
let found = null; // the last answer, with the text for which it was given
let chosen = -1;

const isField = (element) => box && element?.id === "query";
const field = () => document.getElementById("query");
const isOpen = () => !box.hidden;

// The server counts characters, a field in a browser counts units of UTF-16.
const characters = (text, units) => [...text.slice(0, units)].length;
const units = (text, count) => [...text].slice(0, count).join("").length;

async function ask(input) {
  const number = (asked += 1);
  const text = input.value;
  const url = new URL(box.dataset.url, location.href);
  url.searchParams.set("q", text);
  url.searchParams.set("at", characters(text, input.selectionStart ?? text.length));
  try {
    const reply = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin", signal: AbortSignal.timeout(5000) });
    if (!reply.ok || number !== asked) return;
    found = { text, ...(await reply.json()) };
  } catch { return; } // without options one types on
  if (number === asked && document.activeElement === field() && field().value === text) open();
}

function open() {
  const input = field();
  box.replaceChildren(...found.options.map(({ text, isField: goesOn }, n) => {
    const option = document.createElement("li");
    option.id = `query-option-${n}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.dataset.n = n;
    option.textContent = text;
    option.classList.toggle("is-field", goesOn);
    return option;
  }));
  box.hidden = found.options.length === 0;
  choose(-1);
  const place = input.getBoundingClientRect();
  box.style.setProperty("left", `${place.left + scrollX}px`);
  box.style.setProperty("top", `${place.bottom + scrollY + 2}px`);
  box.style.setProperty("min-width", `${Math.min(place.width, 280)}px`);
}

function close() {
  clearTimeout(timer);
  asked += 1; // what is on its way comes too late
  if (!isOpen()) return;
  box.hidden = true;
  choose(-1);
}

/** Marks an option; -1 for none. Says so to who hears the page. */
function choose(n) {
  const input = field();
  box.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
  chosen = n;
  const option = box.children[n];
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  input?.setAttribute("aria-expanded", String(isOpen()));
  if (option) input?.setAttribute("aria-activedescendant", option.id);
  else input?.removeAttribute("aria-activedescendant");
}

function take(n) {
  const input = field();
  const { text, start, end, options } = found;
  if (!input || input.value !== text) return close();
  const more = options[n].isField ? "" : " ";
  const rest = text.slice(units(text, end));
  const before = text.slice(0, units(text, start)) + options[n].text + (rest.startsWith(" ") ? "" : more);
  input.value = before + rest;
  input.setSelectionRange(before.length, before.length);
  input.focus();
  close();
  if (options[n].isField) soon(input);
}

function soon(input) {
  clearTimeout(timer);
  timer = setTimeout(ask, WAIT, input);
}

const keys = {
  ArrowDown: () => (isOpen() ? choose((chosen + 1) % box.children.length) : ask(field())),
  ArrowUp: () => isOpen() && choose(chosen <= 0 ? box.children.length - 1 : chosen - 1),
  Enter: () => isOpen() && chosen >= 0 && take(chosen),
  Tab: () => isOpen() && chosen >= 0 && take(chosen),
  Escape: () => isOpen() && close(),
};

if (box) {
  document.addEventListener("input", ({ target }) => { if (isField(target)) soon(target); });
  document.addEventListener("keydown", (event) => {
    if (!isField(event.target) || event.isComposing || !keys[event.key]) return;
    const used = keys[event.key]();
    if (used !== false) event.preventDefault();
    else if (event.key === "Enter") close();
  }, true);
  document.addEventListener("focusout", ({ target }) => { if (isField(target)) close(); });
  box.addEventListener("pointerdown", (event) => {
    event.preventDefault(); // the field keeps the focus
    const option = event.target.closest("[role=option]");
    if (option) take(Number(option.dataset.n));
  });
}
