// The status card: one glance tells how a stream is doing.

import { CURVE, trace } from "./lib/curve";
import { find, say } from "./lib/dom";
import { age } from "./lib/format";
import { mount, type Drawing, type Page } from "./lib/mount";
import type { Header } from "./lib/wire";
import style from "./card.css";

interface Fact {
  key: string;
  name: string;
  value: string;
  small: boolean;
}

interface Level {
  name: string;
  about: string;
  reached: string;
  behind: number;
}

/** Facts that have a place of their own above the list, or need none beside it. */
const PLACED = new Set(["rate", "age", "gaps", "way"]);

/** A tick that old, while it should be live, is worth a colour. */
const OLD_MS = 10_000;

function draw(page: Page): Drawing {
  page.head.innerHTML = '<strong></strong><span class="state"></span><span class="symbols faint"></span>';
  page.body.innerHTML =
    '<div class="frame"><div class="glance">' +
    `<div class="rate"><span class="name"></span><b></b>${CURVE}</div>` +
    '<div class="age"><span class="name"></span><b></b></div><div class="gaps"><span class="name"></span><b></b></div></div>' +
    '<ol class="levels" aria-label="How safe the ticks are"></ol><dl></dl></div>';
  const [feed, state, symbols] = [...page.head.children];
  const levels = find(page.body, ".levels");
  const list = find(page.body, "dl");
  const curve = find<SVGSVGElement>(page.body, ".curve");
  const places = new Map(["rate", "age", "gaps"].map((key) => [key, find(page.body, `.glance .${key}`)]));
  const shown = new Map<string, HTMLElement>();
  let header: Header | null = null;

  const clockwork = setInterval(() => tellAge(), 200);

  function tellAge(): void {
    if (!header || header.age == null) return;
    const ms = header.age + page.elapsed();
    const cell = places.get("age")!;
    say(find(cell, "b"), ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : age(ms));
    cell.classList.toggle("odd", ms > OLD_MS && header.state === "live");
  }

  function tellLevels(told: Level[]): void {
    while (levels.children.length < told.length) {
      const item = document.createElement("li");
      item.innerHTML = '<span class="name"></span><b></b><span class="behind"></span>';
      levels.append(item);
    }
    told.forEach((level, i) => {
      const item = levels.children[i] as HTMLElement;
      const [name, reached, behind] = [...item.children];
      say(name, level.name);
      say(reached, level.reached);
      say(behind, level.behind ? `${level.behind.toLocaleString("en-US")} behind` : i ? "all" : "");
      item.classList.toggle("all", !level.behind);
      item.title = level.about;
    });
  }

  function tellFacts(told: Fact[]): void {
    const here = new Set(told.map((fact) => fact.key));
    for (const [key, el] of shown) if (!here.has(key)) (el.remove(), shown.delete(key));
    for (const fact of told) {
      const place = places.get(fact.key);
      if (place) {
        say(find(place, ".name"), fact.name);
        if (fact.key !== "age" || header!.age == null) say(find(place, "b"), fact.value);
        if (fact.key === "gaps") place.classList.toggle("odd", fact.value !== "0");
      }
      if (PLACED.has(fact.key)) continue;
      let el = shown.get(fact.key);
      if (!el) {
        el = document.createElement("div");
        el.className = fact.key;
        el.innerHTML = "<dt></dt><dd></dd>";
        shown.set(fact.key, el);
        list.append(el);
      }
      say(find(el, "dt"), fact.name);
      say(find(el, "dd"), fact.value);
      el.classList.toggle("small", fact.small);
    }
  }

  return {
    frame(message) {
      header = message.header;
      say(feed, header.feed);
      say(state, `${header.sign} ${header.state.replace("_", " ")}`);
      state.className = `state ${header.tone}`;
      say(symbols, header.symbols);
      tellFacts(header.facts);
      tellLevels(header.levels);
      tellAge();
      // The second that is not over yet would be a dip that is none.
      const paces = message.columns.paces.subarray(0, -1);
      const most = Math.max(...paces, 1);
      trace(curve, Array.from(paces, (one) => one / most));
    },
    destroy: () => clearInterval(clockwork),
  };
}

export default mount("card", style, draw);
