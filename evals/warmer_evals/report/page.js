"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const select = document.getElementById("query");
  if (!select) return;
  const { queries, documents, scale, sides } = data;
  const compared = queries.filter((query) => query.gain !== null);
  const signed = (gain) => (gain < 0 ? "−" : "+") + Math.abs(gain).toFixed(2);

  const make = (tag, className, ...content) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...content);
    return element;
  };

  const bar = (score, best) => {
    const track = make("span", score === null ? "track empty" : "track");
    const fill = make("span", "fill");
    fill.style.width = `${(100 * (score ?? 0)) / scale}%`;
    track.append(fill);
    if (best !== null) {
      const line = make("span", "best");
      line.style.left = `${(100 * best) / scale}%`;
      track.append(line);
    }
    return track;
  };

  const hit = ([number, score, before], place, best) => {
    const [id, text] = documents[number];
    const good = best !== null && score !== null && score >= best;
    const row = make("li", good ? "good" : "");
    const figure = make("span", "score", score === null ? "–" : String(score), good ? " ★" : "");
    figure.title = score === null ? "not scored" : good ? "at least as high as the best first hit" : "";
    const body = make("span", text ? "text" : "text id", text || id);
    body.title = id;
    const head = make("span", "head", make("span", "rank", String(place)), bar(score, best), figure);
    if (before === 0) head.append(make("span", "tag new", "new"));
    if (before > 0) head.append(make("span", "tag", `was ${before}`));
    row.append(head, body);
    return row;
  };

  const list = (title, { note, first, hits }, best) => {
    const rows = hits.map(([number, score, before], index) =>
      hit([number, score, before > 0 ? before + first - 1 : before], first + index, best));
    return make("section", "", make("h4", "", title), make("p", "note", note), make("ol", "", ...rows));
  };

  const section = ({ title, columns }, best) => {
    if (columns.length === 1) return make("div", "lists", list(title, columns[0], null));
    const lists = columns.map((column, side) => list(sides[side], column, best));
    return make("div", "", make("h4", "round", title), make("div", "lists two", ...lists));
  };

  const show = (index) => {
    const query = queries[index];
    select.value = String(index);
    const gain = query.gain === null ? "not compared" : signed(query.gain);
    const side = query.gain > 0 ? "wins" : query.gain < 0 ? "loses" : "unclear";
    const heading = make("h3", "", query.text || query.id, " ", make("span", `chip ${side}`, gain));
    document.getElementById("shown").replaceChildren(heading, ...query.in.map((part) => section(part, query.best)));
    document.getElementById("previous").disabled = index === 0;
    document.getElementById("next").disabled = index === queries.length - 1;
  };

  const choose = (index) => {
    history.replaceState(null, "", `#q=${encodeURIComponent(queries[index].id)}`);
    show(index);
  };

  const named = () => {
    if (!location.hash.startsWith("#q=")) return -1;
    try {
      const id = decodeURIComponent(location.hash.slice(3));
      return queries.findIndex((query) => query.id === id);
    } catch {
      return -1;
    }
  };

  const follow = () => {
    const index = named();
    if (index < 0) return;
    show(index);
    document.getElementById("hits").scrollIntoView();
    select.focus({ preventScroll: true });
  };

  const groups = [
    ["Wins", (query) => query.gain > 0],
    ["Ties", (query) => query.gain === 0],
    ["Losses", (query) => query.gain !== null && query.gain < 0],
    ["Not compared", (query) => query.gain === null],
  ];
  for (const [label, belongs] of groups) {
    const group = make("optgroup", "");
    group.label = label;
    queries.forEach((query, index) => {
      if (!belongs(query)) return;
      const gain = query.gain === null ? "" : `${signed(query.gain)}  `;
      const option = make("option", "", gain + (query.text || query.id).slice(0, 100));
      option.value = String(index);
      group.append(option);
    });
    if (group.children.length) select.append(group);
  }

  select.addEventListener("change", () => choose(Number(select.value)));
  const button = (name, action, enabled = true) => {
    const element = document.getElementById(name);
    element.hidden = !enabled;
    element.addEventListener("click", action);
  };
  button("best", () => choose(0), compared.length > 0 && compared[0].gain > 0);
  button("worst", () => choose(compared.length - 1), compared.length > 0 && compared.at(-1).gain < 0);
  button("previous", () => choose(Number(select.value) - 1));
  button("next", () => choose(Number(select.value) + 1));

  const readout = document.getElementById("readout");
  document.querySelector(".columns")?.addEventListener("pointerover", (event) => {
    const title = event.target.closest("a")?.querySelector("title");
    if (title) readout.textContent = title.textContent;
  });

  show(0);
  follow();
  addEventListener("hashchange", follow);
})();
