// Keeps every <time data-age> right by the server's clock, and marks "live" data as stale
// while the page itself is cut off, so that nothing old looks present.
const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const lang = document.documentElement.lang;
const skew = document.body.dataset.now ? (Number(document.body.dataset.now) + 1) * 1000 - Date.now() : 0; // data-now is cut to the second
const plain = Object.fromEntries(units.map(([unit]) =>
  [unit, new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay: "narrow" })]));
const ago = new Intl.RelativeTimeFormat(lang, { style: "narrow", numeric: "always" });

function words(seconds, relative) {
  const past = Math.max(0, seconds);
  const [unit, size] = units.find(([, each]) => past >= each * 2) ?? units.at(-1);
  const count = Math.floor(past / size);
  return relative ? ago.format(-count, unit) : plain[unit].format(count);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function refresh() {
  const now = Date.now() + skew;
  for (const time of document.querySelectorAll("time[data-age]")) {
    setText(time, words((now - Date.parse(time.dateTime)) / 1000, time.dataset.age === "ago"));
  }
  const lost = ["reconnecting", "stale"].includes(document.documentElement.dataset.live);
  for (const fresh of document.querySelectorAll('[data-fresh="live"]')) {
    const word = fresh.querySelector(".fresh-word");
    fresh.dataset.textLive ??= word.textContent;
    setText(word, lost ? fresh.dataset.textStale : fresh.dataset.textLive);
    fresh.toggleAttribute("data-ui-lost", lost);
  }
}

refresh();
setInterval(refresh, 2000);
let frame = 0; // before the next paint, once however many rows were swapped
const soon = () => { frame ||= requestAnimationFrame(() => { frame = 0; refresh(); }); };
document.addEventListener("htmx:after:swap", soon);
document.addEventListener("mcm:live", soon);
