// The SQL box: a query over what is held, and its answer as a table.

import { find, say } from "./lib/dom";
import { mount, type Drawing, type Page } from "./lib/mount";
import style from "./query.css";

function draw(page: Page): Drawing {
  page.head.innerHTML =
    '<strong>SQL</strong><span class="grow"></span>' +
    '<select aria-label="Examples"><option value="">Examples</option></select>' +
    '<button class="run" title="Ctrl+Enter">Run</button>';
  page.body.innerHTML =
    '<textarea rows="3" spellcheck="false" aria-label="Query" autocapitalize="off" autocomplete="off" ' +
    'data-lm-suppress-shortcuts="true"></textarea>' +
    '<div class="said" role="status"></div>' +
    '<div class="answer" tabindex="0" role="region" aria-label="Answer"><table><thead></thead><tbody></tbody></table></div>';
  const examples = find<HTMLSelectElement>(page.head, "select");
  const run = find<HTMLButtonElement>(page.head, ".run");
  const box = find<HTMLTextAreaElement>(page.body, "textarea");
  const said = find(page.body, ".said");
  const answer = find(page.body, ".answer");
  const head = find(page.body, "thead");
  const body = find(page.body, "tbody");
  let texts: Record<string, string> = {};
  let typed = false; // the reader's own text is not replaced

  const ask = () => {
    page.choose("query", box.value);
    page.choose("run", true);
    say(said, "Asking …");
    said.className = "said";
  };
  run.addEventListener("click", ask);
  box.addEventListener("input", () => (typed = true));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      ask();
    }
  });
  examples.addEventListener("change", () => {
    if (!texts[examples.value]) return;
    box.value = texts[examples.value];
    typed = true;
    fit();
    ask();
    examples.value = "";
  });
  const fit = () => (box.rows = Math.min(Math.max(box.value.split("\n").length, 2), 10));
  box.addEventListener("input", fit);

  const row = (kind: "td" | "th", cells: (string | null)[], numbers: boolean[]) => {
    const made = document.createElement("tr");
    made.append(
      ...cells.map((words, i) => {
        const cell = document.createElement(kind);
        if (kind === "th") cell.scope = "col";
        cell.textContent = words ?? "–";
        if (numbers[i]) cell.className = "number";
        else if (words === null) cell.className = "faint";
        return cell;
      }),
    );
    return made;
  };

  return {
    base({ header }) {
      texts = header.examples;
      if (examples.options.length === 1) examples.append(...Object.keys(texts).map((name) => new Option(name, name)));
      if (!typed) {
        box.value = header.options.query;
        fit();
      }
      const { names, numbers, cells, rows, shown, refusal, took } = header;
      said.classList.toggle("bad", !!refusal);
      answer.hidden = rows === null;
      if (refusal) say(said, refusal);
      else if (rows === null) say(said, "");
      else say(said, `${rows} row${rows === 1 ? "" : "s"} in ${took.toFixed(0)} ms${shown < rows ? `, the first ${shown} shown` : ""}`);
      head.replaceChildren(row("th", names, numbers));
      const lines = Array.from({ length: shown as number }, (_, i) =>
        row("td", (cells as (string | null)[][]).map((column) => column[i]), numbers),
      );
      body.replaceChildren(...lines);
    },
    frame({ header }) {
      run.disabled = header.running;
      page.root.toggleAttribute("data-running", header.running);
    },
  };
}

export default mount("query", style, draw);
