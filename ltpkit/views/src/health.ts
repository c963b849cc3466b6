// Health and gaps: the checks of a stream with their reasons, and what it knows it missed.

import { timeText } from "./lib/axes";
import { find, say } from "./lib/dom";
import { qty } from "./lib/format";
import { mount, type Drawing, type Page } from "./lib/mount";
import style from "./health.css";

const SIGNS: Record<string, string> = { ok: "●", degraded: "◐", failing: "✕" };

interface Gap {
  at: number | null;
  start: number | null;
  end: number | null;
  symbols: string[] | null;
  why: string;
  missing: number | null;
  recovered: string | null;
}

function element(kind: string, className: string, words = ""): HTMLElement {
  const made = document.createElement(kind);
  made.className = className;
  made.textContent = words;
  return made;
}

function draw(page: Page): Drawing {
  page.head.innerHTML = '<strong>Health</strong><span class="grow"></span><span class="faint count"></span>';
  page.body.innerHTML = '<ul class="checks"></ul><div class="gaps" tabindex="0" role="region" aria-label="Gaps"></div>';
  const count = find(page.head, ".count");
  const checks = find(page.body, ".checks");
  const list = find(page.body, ".gaps");
  let shown = "";

  const names = (gap: Gap) => {
    const all = gap.symbols ?? [];
    return all.length > 2 ? `${all[0]} and ${all.length - 1} more` : all.join(", ");
  };

  return {
    frame({ header }) {
      say(count, header.count === 1 ? "1 gap" : `${header.count} gaps`);
      const key = JSON.stringify([header.checks, header.gaps]);
      if (key === shown) return;
      shown = key;
      checks.replaceChildren(
        ...(header.checks as { name: string; status: string; reason: string }[]).map((one) => {
          const item = element("li", one.status);
          const sign = element("i", "", SIGNS[one.status] ?? "?");
          sign.title = one.status;
          item.append(sign, element("b", "", one.name), element("span", "faint", one.reason));
          return item;
        }),
      );
      list.replaceChildren(
        ...(header.gaps as Gap[]).map((gap) => {
          const item = element("div", "gap");
          const from = gap.start ?? gap.at;
          const lasted = gap.start !== null && gap.end !== null ? `${((gap.end - gap.start) / 1000).toFixed(1)} s` : "open";
          item.append(
            element("time", "", from === null ? "" : timeText(from, header.zone, "second")),
            element("span", "", `${gap.why} · ${lasted}${gap.missing === null ? "" : ` · ${qty(gap.missing)} missing`}`),
            element("span", "faint", [names(gap), gap.recovered].filter(Boolean).join(" · ")),
          );
          return item;
        }),
      );
      list.classList.toggle("none", header.gaps.length === 0);
      if (!header.gaps.length) list.textContent = "Nothing is known to be missing.";
    },
  };
}

export default mount("health", style, draw);
