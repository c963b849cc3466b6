// A stream's controls: search and subscribe, unsubscribe, start, stop, reconnect.

import { find, say } from "./lib/dom";
import { qty } from "./lib/format";
import { mount, type Drawing, type Page } from "./lib/mount";
import style from "./controls.css";

const SEARCH_MS = 150; // after the last key
const DOWN = new Set(["stopped", "refused"]);

function draw(page: Page): Drawing {
  page.head.innerHTML =
    '<span class="state"><i></i><strong></strong><span class="faint"></span></span><span class="grow"></span>' +
    '<div class="picker"><input type="search" role="combobox" aria-expanded="false" aria-autocomplete="list" ' +
    'placeholder="Subscribe a symbol" aria-label="Symbol to subscribe" spellcheck="false" autocomplete="off">' +
    '<ul class="found" role="listbox" hidden></ul></div>' +
    '<button class="run"></button><button class="again" title="Leave the broker and connect anew">Reconnect</button>';
  page.body.innerHTML = '<div class="chips"></div>';
  const state = find(page.head, ".state");
  const input = find<HTMLInputElement>(page.head, "input");
  const list = find(page.head, ".found");
  const run = find<HTMLButtonElement>(page.head, ".run");
  const again = find<HTMLButtonElement>(page.head, ".again");
  const chips = find(page.body, ".chips");

  let found: string[] = [];
  let names: string | null = null;
  let picked = -1;
  let later = 0;

  const pick = (name: string) => {
    if (!name) return;
    page.choose("subscribe", name);
    input.value = "";
    offer([]);
  };

  const mark = (index: number) => {
    picked = index;
    [...list.children].forEach((one, i) => one.setAttribute("aria-selected", String(i === index)));
    list.children[index]?.scrollIntoView({ block: "nearest" });
  };

  const offer = (offered: string[]) => {
    const open = offered.length > 0 && input.value.trim() !== "";
    input.setAttribute("aria-expanded", String(open));
    list.hidden = !open;
    if (offered.join() === found.join()) return;
    found = offered;
    list.replaceChildren(
      ...offered.map((name) => {
        const [exchange, symbol] = name.split(/:(.*)/);
        const item = document.createElement("li");
        item.setAttribute("role", "option");
        const small = document.createElement("small");
        small.textContent = exchange;
        item.append(symbol, small);
        item.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          pick(name);
        });
        return item;
      }),
    );
    mark(-1);
  };

  input.addEventListener("input", () => {
    clearTimeout(later);
    later = window.setTimeout(() => page.choose("find", input.value.trim()), SEARCH_MS);
    if (!input.value.trim()) offer([]);
  });
  input.addEventListener("blur", () => (list.hidden = true));
  input.addEventListener("keydown", (event) => {
    event.stopPropagation(); // the notebook has keys of its own
    if (event.key === "ArrowDown") mark(Math.min(picked + 1, found.length - 1));
    else if (event.key === "ArrowUp") mark(Math.max(picked - 1, -1));
    else if (event.key === "Enter") pick(found[picked] ?? input.value.trim());
    else if (event.key === "Escape") offer([]);
    else return;
    event.preventDefault();
  });
  run.addEventListener("click", () => page.choose(run.dataset.does!, true));
  again.addEventListener("click", () => page.choose("reconnect", true));

  return {
    frame({ header }) {
      const down = DOWN.has(header.state);
      state.dataset.state = header.state;
      say(find(state, "strong"), header.feed);
      say(find(state, "span"), `${header.state.replace("_", " ")} · ${qty(Math.round(header.rate)) || 0} ticks/s`);
      say(run, down ? "Start" : "Stop");
      run.dataset.does = down ? "start" : "stop";
      offer(input.value.trim() && header.options.find ? header.found : []);
      const key = header.names.join();
      if (key === names) return;
      names = key;
      chips.replaceChildren(
        ...header.names.map((name: string) => {
          const chip = document.createElement("span");
          chip.className = "chip";
          chip.textContent = name.split(/:(.*)/)[1];
          chip.title = name;
          const drop = document.createElement("button");
          drop.textContent = "×";
          drop.setAttribute("aria-label", `Unsubscribe ${name}`);
          drop.addEventListener("click", () => page.choose("unsubscribe", name));
          chip.append(drop);
          return chip;
        }),
      );
      if (!header.names.length) chips.innerHTML = '<span class="none">Nothing is subscribed yet.</span>';
    },
    destroy: () => clearTimeout(later),
  };
}

export default mount("controls", style, draw);
