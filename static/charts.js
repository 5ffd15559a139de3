// Draws use over time (uPlot) into every [data-chart]; the points come from data-url, the words and
// limits from its other attributes. Gaps stay gaps. Colours follow the theme, sizes the page.
import uPlot from "./vendor/uplot.min.js";

const FRESH = 20000; // ms until points are asked for again when the page was refreshed
const HEIGHT = 220;
const lang = document.documentElement.lang;
const drawn = new Map(); // .plot -> { chart, url, theme, points }
const asked = new Map(); // url -> { at, points: Promise }: both pictures of a page share one answer

const LEAST_SPAN = 900; // seconds: a line that began just now is not stretched over the picture
const DWARFS = 4; // a limit so many times above all else is drawn when asked for: by its legend
const steps = Array.from({ length: 24 }, (_, n) => 2 ** n); // MiB and GiB are counted in twos
const units = {
  cpu: { scale: 1000, text: (value) => number(value, value < 10 ? 2 : 1) },
  memory: { scale: 1, text: mebibytes, incrs: steps },
};

function number(value, digits) {
  return new Intl.NumberFormat(lang, { maximumFractionDigits: digits }).format(value);
}

function mebibytes(value) {
  const names = ["MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  for (; value >= 1024 && unit < names.length - 1; unit += 1) value /= 1024;
  return `${number(value, value < 100 ? 1 : 0)} ${names[unit]}`;
}

/** A colour of mcm.css as the canvas needs it: light-dark() is only resolved in a real property. */
function colour(name) {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(${name})`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function points(url) {
  const known = asked.get(url);
  if (known && Date.now() - known.at < FRESH) return known.points;
  const answer = fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin", signal: AbortSignal.timeout(15000) })
    .then((reply) => { if (!reply.ok) throw new Error(`${reply.status} for ${url}`); return reply.json(); });
  answer.catch(() => asked.delete(url));
  asked.clear();
  asked.set(url, { at: Date.now(), points: answer });
  return answer;
}

/** From the first sample on, if the line is younger than the time span that was asked for. */
function span(times, used) {
  const end = times.at(-1);
  const first = used.findIndex((value) => value !== null);
  return [Math.max(times[0], Math.min(times[Math.max(first, 0)], end - LEAST_SPAN)), end];
}

function options(host, width, [times, used]) {
  const { text, incrs } = units[host.dataset.chart];
  const { requested, allocatable } = limits(host);
  const most = used.reduce((top, value) => Math.max(top, value ?? 0), requested);
  const ink = colour("--muted");
  const line = { stroke: colour("--line-soft"), width: 1 };
  const long = times.at(-1) - times[0] > 2 * 86400;
  const day = new Intl.DateTimeFormat(lang, { month: "numeric", day: "numeric" });
  const clock = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const full = new Intl.DateTimeFormat(lang, { dateStyle: "short", timeStyle: "short", hourCycle: "h23" });
  const value = (_, amount) => amount == null ? "–" : text(amount);
  const limit = (key, amount, label) => amount > 0 ? [{ label, show: amount <= DWARFS * most, stroke: colour(`--chart-${key}`), width: 1, dash: [5, 4], points: { show: false }, value }] : [];
  return {
    width, height: HEIGHT, legend: { live: true }, cursor: { y: false },
    scales: { x: { range: (chart, least, last) => least === times[0] && last === times.at(-1) ? span(...chart.data) : [least, last] }, y: { range: (_, least, most) => [0, (most || 1) * 1.08] } },
    axes: [
      { stroke: ink, grid: line, ticks: line, font: "11px sans-serif", values: (_, splits) => splits.map((at) => (long ? day : clock).format(at * 1000)) },
      { stroke: ink, grid: line, ticks: { show: false }, font: "11px sans-serif", size: 62, ...(incrs && { incrs }), values: (_, splits) => splits.map(text) },
    ],
    series: [
      { label: host.dataset.textTime, value: (_, at) => at == null ? "–" : full.format(at * 1000) },
      { label: host.dataset.textUsed, stroke: colour("--chart-used"), fill: colour("--chart-fill"), width: 1.5, spanGaps: false, value },
      ...limit("requested", requested, host.dataset.textRequested),
      ...limit("allocatable", allocatable, host.dataset.textAllocatable),
    ],
  };
}

function limits(host) {
  const { scale } = units[host.dataset.chart];
  return { requested: host.dataset.requested / scale, allocatable: host.dataset.allocatable / scale };
}

function columns(host, found) {
  const { scale } = units[host.dataset.chart];
  const used = found[host.dataset.chart].map((value) => value === null ? null : value / scale);
  const known = Object.values(limits(host)).filter((value) => value > 0);
  return [found.times, used, ...known.map((value) => new Array(used.length).fill(value))];
}

async function show(host) {
  const plot = host.querySelector(".plot");
  const url = host.dataset.url;
  let found;
  try {
    found = await points(url);
  } catch (error) {
    return console.warn("chart:", error.message); // the figures below the picture still stand
  }
  if (!plot.isConnected || url !== host.dataset.url || !plot.clientWidth) return;
  const state = drawn.get(plot);
  const look = [url, document.documentElement.dataset.bsTheme, host.dataset.requested > 0, host.dataset.allocatable > 0].join();
  const data = columns(host, found);
  if (state?.look === look) return state.chart.setData(data);
  state?.chart.destroy();
  drawn.set(plot, { look, chart: new uPlot(options(host, plot.clientWidth, data), data, plot) });
  sizes.observe(plot);
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const chart = drawn.get(target)?.chart;
    if (chart && target.clientWidth && chart.width !== target.clientWidth) chart.setSize({ width: target.clientWidth, height: HEIGHT });
  }
});

function showAll() {
  for (const [plot, { chart }] of drawn) {
    if (plot.isConnected) continue;
    sizes.unobserve(plot);
    chart.destroy();
    drawn.delete(plot);
  }
  document.querySelectorAll("[data-chart]").forEach(show);
}

let frame = 0; // once a frame at most
const soon = () => { frame ||= requestAnimationFrame(() => { frame = 0; showAll(); }); };
document.addEventListener("htmx:after:swap", soon);
new MutationObserver(soon).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
showAll();
