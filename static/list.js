// What stands beside a list uses the filter that the list has now: it changes without a new page.
const address = () => document.querySelector("[data-live-rows-url]")?.dataset.liveUrl ?? location.pathname + location.search;
const query = () => new URL(address(), location.href).search.slice(1);

// In links as a parameter (data-query-in="name") or as the whole query (""), in hidden fields as the value.
function update(place) {
  for (const element of place.querySelectorAll("[data-query-in]")) {
    if (element.localName === "input") { element.value = query(); continue; }
    const name = element.dataset.queryIn;
    const url = new URL(element.href);
    if (name) url.searchParams.set(name, query());
    else url.search = query();
    element.href = url.href;
  }
}

// Before anybody else takes the click or the form.
for (const type of ["pointerdown", "keydown", "click", "submit"]) {
  document.addEventListener(type, ({ target }) => {
    const place = target.closest?.(".list-tools, .selection-bar");
    if (place) update(place);
  }, true);
}
