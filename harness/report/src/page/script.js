"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const form = document.getElementById("choose");
  const choose = () => {
    const service = form.elements.service.value;
    for (const part of all("[data-service]")) {
      part.hidden = service !== "" && part.dataset.service !== "" && part.dataset.service !== service;
    }
    const topic = form.elements.topic.value;
    for (const part of all("[data-topic]")) part.hidden = topic !== "" && part.dataset.topic !== topic;
    const shown = new Set(all("input[name=platform]:checked", form).map((box) => box.value));
    for (const row of all("tr[data-platform]")) row.hidden = !shown.has(row.dataset.platform);
    // A chart keeps its axes, and what is not chosen its place.
    for (const mark of all("g[data-platform]")) mark.classList.toggle("faint", !shown.has(mark.dataset.platform));
  };
  form.hidden = false;
  form.addEventListener("change", choose);
  form.addEventListener("submit", (event) => event.preventDefault());

  // What is not a number sorts last, whichever way.
  const value = (row, column) => {
    const text = (row.cells[column].querySelector(".value") ?? row.cells[column]).textContent;
    if (column === 0) return text;
    const number = parseFloat(text.replace(/[^0-9.\-]/g, ""));
    return row.cells[column].classList.contains("none") || Number.isNaN(number) ? null : number;
  };
  for (const table of all("table.sortable")) {
    const headings = all("thead tr:last-child th", table);
    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      heading.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = heading.getAttribute("aria-sort") === "ascending";
        headings.forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const rows = [...body.rows].sort((a, b) => {
          const [x, y] = [value(a, column), value(b, column)];
          if (x === null || y === null) return (x === null) - (y === null);
          const order = typeof x === "string" ? x.localeCompare(y) : x - y;
          return down ? -order : order;
        });
        body.append(...rows);
      });
    });
  }
})();
