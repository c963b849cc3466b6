// The chart: candles, a line or an area with volume, moving averages, VWAP, other symbols laid over it.

import {
  AreaSeries, CandlestickSeries, CrosshairMode, HistogramSeries, LastPriceAnimationMode, LineSeries,
  PriceScaleMode, createChartEx, type IChartApiBase, type ISeriesApi, type MouseEventParams, type Time,
} from "lightweight-charts";
import { Vwap, average, part, renew, type Bar } from "./lib/bars";
import { change, direction, price, qty } from "./lib/format";
import { Shade, holes, missedOf, type Missed } from "./lib/missed";
import { mount, type Drawing, type Page } from "./lib/mount";
import { alpha } from "./lib/theme";
import { Zone, ZonedScale, mark, moment } from "./lib/zone";
import style from "./chart.css";

const INTERVALS = ["1s", "5s", "15s", "1m", "5m", "15m", "1h", "1d"];
const AVERAGES = [20, 50];
const STYLES: [string, string, string][] = [
  ["candles", "Candles", "M4 2v3M4 11v3M2.5 5h3v6h-3zM12 1v4M12 10v4M10.5 5h3v5h-3z"],
  ["line", "Line", "M1.5 12l4-5 3.5 3 5.5-7"],
  ["area", "Area", "M1.5 12l4-5 3.5 3 5.5-7v11h-13z"],
];
/** Told apart with any eyes, on light and on dark. */
const LINES = {
  light: ["#2f6feb", "#b35900", "#7a3fb8", "#00858a", "#c2185b", "#5d7a00", "#8a6d3b", "#465a8c", "#a0522d", "#3d7a4f", "#6b6b6b"],
  dark: ["#6ea1ff", "#ffa657", "#c297ff", "#39c5bb", "#ff7eb6", "#b5cf4f", "#d9b77e", "#9fb3e8", "#e3936f", "#7ecb9c", "#b0b0b0"],
};

type Series = ISeriesApi<any, Time>;

interface Overlay {
  key: string;
  label: string;
  series: Series;
  value(i: number): number | null;
}

/** An instrument that is compared. */
interface Other {
  name: string;
  bars: Bar[];
  series: Series;
  colour: string;
  decimals: number;
}

const NONE = "rgba(0, 0, 0, 0)";
const UNSEEN = { color: NONE, lineColor: NONE, topColor: NONE, bottomColor: NONE };
const LONGEST_TITLE = 12;

/** What stands beside the last value of a line. */
function titleOf(name: string): string {
  const bare = name.replace(/^.*:/, "");
  return bare.length > LONGEST_TITLE ? `${bare.slice(0, LONGEST_TITLE - 1)}…` : bare;
}

/** What its controls show. */
const CHOICES = ["symbol", "every", "style", "averages", "vwap", "paused"];

const seconds = (bar: Bar) => bar.time as Time;

function draw(page: Page): Drawing {
  page.head.innerHTML =
    '<select class="symbol" aria-label="Symbol"></select>' +
    '<select class="compare" aria-label="Compare with another symbol"></select>' +
    '<div class="choices every" role="group" aria-label="Bar length"></div><span class="grow"></span>' +
    '<div class="choices style" role="group" aria-label="Drawn as"></div>' +
    '<div class="choices overlays" role="group" aria-label="Overlays"></div>' +
    '<button class="pause" aria-pressed="false" title="Hold the picture">Pause</button>';
  page.body.innerHTML =
    '<div class="plot" tabindex="0" role="img"></div><div class="legend"></div>' +
    '<button class="latest" title="Go to the newest bar" aria-label="Go to the newest bar" hidden>' +
    '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 3l5 5-5 5M12.5 3v10"/></svg></button>' +
    '<div class="empty" hidden></div>';
  const find = <T extends HTMLElement>(what: string) => page.root.querySelector<T>(what)!;
  const symbols = find<HTMLSelectElement>(".symbol");
  const compare = find<HTMLSelectElement>(".compare");
  const pause = find<HTMLButtonElement>(".pause");
  const plot = find(".plot");
  const legend = find(".legend");
  const latest = find<HTMLButtonElement>(".latest");
  const empty = find(".empty");

  let zone = new Zone("UTC");
  let width = 1;
  let decimals = 2;
  let name = "";
  let bars: Bar[] = [];
  let others: Other[] = [];
  let missed: Missed[] = [];
  let lastly = new Set<number>(); // times of bars after which something is missing: no line leads on
  let told = "";
  let shown = ""; // symbol, bar length and so on of what is drawn
  let overlays: Overlay[] = [];
  let overlaid = "";
  let controlled = "";
  let readAloud = "";
  let drawnAs = "";
  let alive = false; // whether a bar may still grow
  let pointed: number | null = null; // time under the crosshair
  let vwap = new Vwap((time) => Math.floor(zone.local(time) / 86_400));

  // -- the chart --------------------------------------------------------------------------

  const zoned = new ZonedScale();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const chart = createChartEx<Time, ZonedScale>(plot, zoned, {
    autoSize: true,
    crosshair: { mode: CrosshairMode.Normal },
    rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.17, bottom: 0.22 } },
    timeScale: { borderVisible: false, timeVisible: true, secondsVisible: true, rightOffset: 5, barSpacing: 8, minBarSpacing: 0.2 },
    kineticScroll: { mouse: false, touch: !still },
  } as any) as IChartApiBase<Time>;
  const volume: Series = chart.addSeries(HistogramSeries, {
    priceScaleId: "volume", priceLineVisible: false, lastValueVisible: false,
    priceFormat: { type: "custom", formatter: (value: number) => qty(value), minMove: 0.0001 },
  });
  chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
  const shade = new Shade();
  chart.panes()[0].attachPrimitive(shade);
  let main: Series = makeMain("candles");
  for (const one of plot.querySelectorAll("canvas, svg")) one.setAttribute("aria-hidden", "true"); // the plot speaks for them

  function makeMain(kind: string): Series {
    drawnAs = kind;
    if (kind === "candles") return chart.addSeries(CandlestickSeries, { borderVisible: true });
    // Without the pulse at the end of a line: for it the chart would be drawn sixty times a second.
    const options = { lineWidth: 2 as const, crosshairMarkerRadius: 3, lastPriceAnimation: LastPriceAnimationMode.Disabled };
    return kind === "area" ? chart.addSeries(AreaSeries, options) : chart.addSeries(LineSeries, options);
  }

  const colours = () => page.colours;
  const hue = (i: number) => LINES[page.root.dataset.theme === "dark" ? "dark" : "light"][i % LINES.light.length];

  function point(bar: Bar): any {
    if (drawnAs !== "candles") return { time: seconds(bar), value: bar.close, ...(lastly.has(bar.time) ? UNSEEN : {}) };
    const { open, high, low, close } = bar;
    const made: any = { time: seconds(bar), open, high, low, close };
    // The bar that grows is hollow.
    if (bar.growing && alive) made.color = alpha(close >= open ? colours().up : colours().down, 0.22);
    return made;
  }

  function column(bar: Bar): any {
    const colour = bar.close >= bar.open ? colours().up : colours().down;
    return { time: seconds(bar), value: bar.volume || 0, color: alpha(colour, bar.growing && alive ? 0.22 : 0.42) };
  }

  /** Draw from a bar on: the last ones one by one, where more is another, everything. */
  function redraw(first: number, length: number): void {
    if (first < length - 1 || bars.length - first > 500) return redrawAll();
    for (let i = Math.max(first, 0); i < bars.length; i++) {
      main.update(point(bars[i]));
      volume.update(column(bars[i]));
      for (const one of overlays) {
        const value = one.value(i);
        if (value !== null) one.series.update({ time: seconds(bars[i]), value });
      }
    }
  }

  function redrawAll(): void {
    const found = holes(bars, missed, width);
    lastly = new Set(found.filter((one) => one.room.length).map((one) => one.from));
    const points = bars.map(point);
    for (const hole of found) for (const time of hole.room) points.push({ time });
    if (found.length) points.sort((a, b) => a.time - b.time);
    main.setData(points.filter((one, i) => !i || one.time !== points[i - 1].time));
    volume.setData(bars.map(column));
    for (const one of overlays) one.series.setData(valuesOf(one));
    shade.show(found);
  }

  function valuesOf(one: Overlay): any[] {
    const values = [];
    for (let i = 0; i < bars.length; i++) {
      const value = one.value(i);
      if (value !== null) values.push({ time: seconds(bars[i]), value });
    }
    return values;
  }

  /** Have the series be those that are chosen; return whether they were others. */
  function arrange(): boolean {
    const wanted = page.chosen("style") as string;
    const comparing = others.length > 0;
    // In percent each line would have a beginning of its own.
    const lengths: number[] = comparing ? [] : page.chosen("averages");
    const key = JSON.stringify([lengths, !comparing && page.chosen("vwap"), name, width]);
    const again = wanted !== drawnAs;
    if (again) {
      chart.removeSeries(main);
      main = makeMain(wanted);
    }
    if (again || key !== overlaid) {
      overlaid = key;
      for (const one of overlays) chart.removeSeries(one.series);
      overlays = lengths.map((length) => overlay(`ma${length}`, `MA ${length}`, (i) => average(bars, i, length)));
      if (!comparing && page.chosen("vwap")) {
        vwap = new Vwap((time) => Math.floor(zone.local(time) / 86_400));
        overlays.push(overlay("vwap", "VWAP", (i) => vwap.next(bars, i)));
      }
      paint();
      redrawAll();
      return true;
    }
    return false;
  }

  function overlay(key: string, label: string, value: (i: number) => number | null): Overlay {
    const series = chart.addSeries(LineSeries, {
      lineWidth: key === "vwap" ? 2 : 1, priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false,
    });
    return { key, label, series, value };
  }

  /** Put the colours in. */
  function paint(): void {
    const { up, down, text, faint, line, back, accent } = colours();
    const font = getComputedStyle(page.root).fontFamily;
    chart.applyOptions({
      layout: { background: { color: back }, textColor: faint, fontFamily: font, fontSize: 11, attributionLogo: true },
      grid: { vertLines: { color: alpha(line, 0.45) }, horzLines: { color: alpha(line, 0.45) } },
      crosshair: {
        vertLine: { color: alpha(faint, 0.7), labelBackgroundColor: text },
        horzLine: { color: alpha(faint, 0.7), labelBackgroundColor: text },
      },
    } as any);
    main.applyOptions(
      drawnAs === "candles"
        ? { upColor: up, downColor: down, borderUpColor: up, borderDownColor: down, wickUpColor: up, wickDownColor: down }
        : drawnAs === "line"
          ? { color: accent }
          : { lineColor: accent, topColor: alpha(accent, 0.28), bottomColor: alpha(accent, 0.01) },
    );
    others.forEach((other, i) => {
      other.colour = hue(i + 1);
      other.series.applyOptions({ color: other.colour });
    });
    overlays.forEach((one, i) => one.series.applyOptions({ color: one.key === "vwap" ? hue(2) : hue(i + 3) }));
    shade.colour = faint;
    shade.text = faint;
    shade.font = `11px ${font}`;
  }

  // -- the legend -------------------------------------------------------------------------

  const escape = (words: string) => words.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);

  function tell(): void {
    const i = pointed === null ? bars.length - 1 : placeOf(bars, pointed);
    const bar = i >= 0 ? bars[i] : undefined;
    const before = i > 0 ? bars[i - 1].close : bar?.open;
    const moved = bar && before !== undefined ? bar.close - before : null;
    const way = direction(moved);
    const one = (label: string, value: string) => `<span><i>${label}</i><b class="${way}">${value}</b></span>`;
    const rows = [
      `<div class="first"><strong>${escape(name)}</strong><span class="faint">${escape(page.chosen("every"))} · ${escape(zone.label)}` +
        `${bar?.growing && alive ? ' · <em title="This bar is not over">● growing</em>' : ""}</span></div>`,
    ];
    if (bar && before !== undefined && moved !== null) {
      rows.push(
        `<div class="bar" data-start="${bar.time}">` +
          one("O", price(bar.open, decimals)) + one("H", price(bar.high, decimals)) +
          one("L", price(bar.low, decimals)) + one("C", price(bar.close, decimals)) +
          `<span><b class="${way}">${change(moved, decimals)} (${change((100 * moved) / before, 2, "%")})</b></span>` +
          (Number.isNaN(bar.volume) ? "" : one("V", qty(bar.volume))) + "</div>",
      );
    }
    const extras = overlays.map((over, k) => {
      const value = i >= 0 ? over.value(i) : null;
      const colour = over.key === "vwap" ? hue(2) : hue(k + 3);
      return `<span style="color:${colour}"><i>${over.label}</i> ${price(value, decimals)}</span>`;
    });
    if (extras.length) rows.push(`<div class="over">${extras.join("")}</div>`);
    if (others.length) {
      const left = leftEdge();
      const listed = [{ name, bars, colour: colours().accent, decimals }, ...others].map((other, k) => {
        const now = pointed === null ? other.bars.length - 1 : placeOf(other.bars, pointed);
        const value = other.bars[now]?.close;
        const from = other.bars[Math.max(0, placeOf(other.bars, left, true))]?.close;
        const percent = value !== undefined && from ? (100 * (value - from)) / from : null;
        const remove = k ? `<button data-remove="${escape(other.name)}" aria-label="Remove ${escape(other.name)}">×</button>` : "";
        return `<span class="other"><u style="background:${other.colour}"></u>${escape(other.name)} <b>${price(value, other.decimals)}</b> <b class="${direction(percent)}">${change(percent, 2, "%")}</b>${remove}</span>`;
      });
      rows.push(`<div class="others">${listed.join("")}</div>`);
    }
    const made = rows.join("");
    if (made !== told) renewed(legend, (told = made));
    // Read aloud anew with each bar, not with each of its ticks.
    const which = `${name} ${bar?.time} ${page.chosen("every")}`;
    if (which === readAloud) return;
    readAloud = which;
    plot.setAttribute(
      "aria-label",
      bar ? `${name}, ${page.chosen("every")} bars. ${moment(zone, bar.time, width)}: open ${price(bar.open, decimals)}, ` +
        `high ${price(bar.high, decimals)}, low ${price(bar.low, decimals)}, close ${price(bar.close, decimals)}. ` +
        "Arrow keys move along the bars, plus and minus zoom, End goes to the newest." : `${name}: no bars yet`,
    );
  }

  function leftEdge(): number {
    const range = chart.timeScale().getVisibleRange();
    return range ? (range.from as number) : 0;
  }

  legend.addEventListener("click", (event) => {
    const gone = (event.target as HTMLElement).dataset.remove;
    if (gone) page.choose("compare", (page.chosen("compare") as string[]).filter((one) => one !== gone));
  });

  // -- controls ---------------------------------------------------------------------------

  symbols.addEventListener("change", () => page.choose("symbol", symbols.value));
  compare.addEventListener("change", () => {
    const added = compare.value;
    compare.value = "";
    if (added) page.choose("compare", [...page.chosen("compare"), added]);
  });
  pause.addEventListener("click", () => {
    page.choose("paused", !page.chosen("paused"));
    controls();
  });
  latest.addEventListener("click", () => chart.timeScale().scrollToRealTime());

  function choices(where: string, listed: [string, string, string][], chosen: (value: string) => boolean, take: (value: string) => void): void {
    const box = find(where);
    const key = listed.map(([value]) => value).join();
    if (box.dataset.key !== key) {
      box.dataset.key = key;
      box.replaceChildren(
        ...listed.map(([value, label, path]) => {
          const button = document.createElement("button");
          button.dataset.value = value;
          if (path) {
            button.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${path}"/></svg>`;
            button.title = label;
            button.setAttribute("aria-label", label);
          } else button.textContent = label;
          button.addEventListener("click", () => {
            take(value);
            controls();
            if (arrange()) tell();
          });
          return button;
        }),
      );
    }
    for (const button of box.children as HTMLCollectionOf<HTMLElement>)
      button.setAttribute("aria-pressed", String(chosen(button.dataset.value!)));
  }

  function controls(): void {
    const now = JSON.stringify([...CHOICES.map((one) => page.chosen(one)), others.length]);
    if (now === controlled) return;
    controlled = now;
    const every = page.chosen("every") as string;
    const listed = INTERVALS.includes(every) ? INTERVALS : [every, ...INTERVALS];
    choices(".every", listed.map((one) => [one, one, ""]), (one) => one === page.chosen("every"), (one) => page.choose("every", one));
    choices(".style", STYLES, (one) => one === page.chosen("style"), (one) => page.choose("style", one));
    const lengths = page.chosen("averages") as number[];
    const known = [...new Set([...AVERAGES, ...lengths])].sort((a, b) => a - b);
    choices(
      ".overlays",
      [...known.map((one): [string, string, string] => [String(one), `MA ${one}`, ""]), ["vwap", "VWAP", ""]],
      (one) => (one === "vwap" ? !!page.chosen("vwap") : (page.chosen("averages") as number[]).includes(Number(one))),
      (one) => {
        if (one === "vwap") return page.choose("vwap", !page.chosen("vwap"));
        const now = page.chosen("averages") as number[];
        page.choose("averages", now.includes(Number(one)) ? now.filter((length) => length !== Number(one)) : [...now, Number(one)].sort((a, b) => a - b));
      },
    );
    find(".overlays").toggleAttribute("hidden", others.length > 0);
    const paused = !!page.chosen("paused");
    pause.setAttribute("aria-pressed", String(paused));
    const words = paused ? "Paused" : "Pause";
    if (pause.textContent !== words) pause.textContent = words;
    symbols.value = page.chosen("symbol");
  }

  function fill(select: HTMLSelectElement, options: [string, string][]): void {
    const key = JSON.stringify(options);
    if (select.dataset.key === key) return;
    select.dataset.key = key;
    select.replaceChildren(...options.map(([value, label]) => new Option(label, value)));
  }

  // -- looking around ---------------------------------------------------------------------

  chart.subscribeCrosshairMove((event: MouseEventParams<Time>) => {
    pointed = event.point && event.time !== undefined ? (event.time as number) : null;
    if (pointed !== null && pointed >= (bars[bars.length - 1]?.time ?? 0)) pointed = null;
    tell();
  });
  chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
    latest.hidden = !range || range.to >= bars.length - 1;
    if (others.length) tell();
  });
  plot.addEventListener("keydown", (event) => {
    const scale = chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (!range || !bars.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const span = range.to - range.from;
    const move = (by: number) => scale.setVisibleLogicalRange({ from: range.from + by, to: range.to + by });
    const zoom = (by: number) => scale.setVisibleLogicalRange({ from: range.to - span * by, to: range.to });
    const step = (by: number) => {
      const now = pointed === null ? bars.length - 1 : placeOf(bars, pointed);
      const next = Math.min(bars.length - 1, Math.max(0, now + by));
      pointed = bars[next].time;
      chart.setCrosshairPosition(bars[next].close, pointed as Time, main);
      const at = scale.timeToIndex(pointed as Time) ?? next;
      if (at < range.from || at > range.to) move(by * Math.ceil(span / 4));
      tell();
    };
    const keys: Record<string, () => void> = {
      ArrowLeft: () => step(-1), ArrowRight: () => step(1),
      PageUp: () => move(-span / 2), PageDown: () => move(span / 2),
      "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1.4),
      Home: () => scale.setVisibleLogicalRange({ from: 0, to: span }),
      End: () => scale.scrollToRealTime(),
      Escape: () => {
        pointed = null;
        chart.clearCrosshairPosition();
        tell();
      },
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation(); // a notebook has its own plans for these
    act();
  });

  return {
    base(message) {
      const { header } = message;
      const lengths = header.series.map((one: { bars: number }) => one.bars);
      const options = header.options;
      const which = JSON.stringify([options.symbol, options.every, options.history, options.compare]);
      const begun = which !== shown;
      shown = which;
      zone = zoned.zone = header.zone === zone.name ? zone : new Zone(header.zone);
      width = header.width / 1000;
      ({ name, decimals } = header.series[0]);
      fill(symbols, header.symbols.map((one: string) => [one, one]));
      const added = new Set(header.series.map((one: { name: string }) => one.name));
      fill(compare, [["", "+ Compare"], ...header.symbols.filter((one: string) => !added.has(one)).map((one: string) => [one, one])] as [string, string][]);
      plot.style.height = `min(${options.height}px, 78vh)`;
      bars = part(message, lengths, 0);
      for (const other of others) chart.removeSeries(other.series);
      others = header.series.slice(1).map((one: { name: string; decimals: number }, i: number) => ({
        name: one.name,
        decimals: one.decimals,
        bars: part(message, lengths, i + 1),
        colour: hue(i + 1),
        series: chart.addSeries(LineSeries, { lineWidth: 2, priceLineVisible: false, crosshairMarkerRadius: 3, title: titleOf(one.name) }),
      }));
      chart.applyOptions({
        localization: { locale: "en-IN", timeFormatter: (time: Time) => moment(zone, time as number, width) },
        timeScale: { secondsVisible: width < 60, timeVisible: width < 86_400, tickMarkFormatter: (time: Time, kind: number) => mark(zone, time, kind) },
      } as any);
      chart.priceScale("right").applyOptions({ mode: others.length ? PriceScaleMode.Percentage : PriceScaleMode.Normal });
      if (begun) {
        pointed = null;
        missed = [];
      }
      if (!arrange()) {
        paint();
        redrawAll();
      }
      const format = { type: "custom", formatter: (value: number) => price(value, decimals), minMove: 10 ** -decimals };
      main.applyOptions({ priceFormat: format });
      for (const one of overlays) one.series.applyOptions({ priceFormat: format });
      for (const other of others) other.series.setData(other.bars.map((bar) => ({ time: seconds(bar), value: bar.close })));
      if (begun) {
        chart.priceScale("right").applyOptions({ autoScale: true });
        chart.timeScale().resetTimeScale();
        chart.timeScale().scrollToRealTime();
      }
    },
    frame(message) {
      const { header } = message;
      const tails = header.tails as number[];
      const found = missedOf(header.gaps);
      alive = !["stored", "stopped", "finished"].includes(header.state);
      const length = bars.length;
      let first = renew(bars, part(message, tails, 0));
      if (JSON.stringify(found) !== JSON.stringify(missed)) {
        missed = found;
        first = -1;
      }
      if (!arrange()) redraw(first, length);
      others.forEach((other, i) => {
        const had = other.bars.length;
        const from = renew(other.bars, part(message, tails, i + 1));
        if (from < had - 1) other.series.setData(other.bars.map((bar) => ({ time: seconds(bar), value: bar.close })));
        else for (let k = from; k < other.bars.length; k++) other.series.update({ time: seconds(other.bars[k]), value: other.bars[k].close });
      });
      empty.hidden = bars.length > 0;
      const words = `Waiting for the first trade of ${name} …`;
      if (!bars.length && empty.textContent !== words) empty.textContent = words;
      controls();
      tell();
      page.root.dataset.ltpBars = String(bars.length);
    },
    restyle() {
      paint();
      if (bars.length) redrawAll();
      told = "";
      if (name) tell();
    },
    destroy() {
      chart.remove();
    },
  };
}

/** The place of the last bar at a time or before; with `after` of the first at it or later. */
function placeOf(bars: Bar[], time: number, after = false): number {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (after ? bars[middle].time < time : bars[middle].time <= time) low = middle + 1;
    else high = middle;
  }
  return after ? Math.min(low, bars.length - 1) : low - 1;
}

/** Have an element hold this markup; where only words are others, its elements stay. */
function renewed(el: HTMLElement, markup: string): void {
  const made = document.createElement("template");
  made.innerHTML = markup;
  if (!reworded(el, made.content)) el.replaceChildren(made.content);
}

/** Take over the words and attributes of another element's descendants, if these are alike; else return false. */
function reworded(el: Node, other: Node): boolean {
  if (el.childNodes.length !== other.childNodes.length) return false;
  for (let i = 0; i < el.childNodes.length; i++) {
    const [a, b] = [el.childNodes[i], other.childNodes[i]];
    if (a.nodeName !== b.nodeName) return false;
    if (a instanceof Text) {
      if (a.data !== (b as Text).data) a.data = (b as Text).data;
      continue;
    }
    for (const { name, value } of (b as Element).attributes)
      if ((a as Element).getAttribute(name) !== value) (a as Element).setAttribute(name, value);
    if ((a as Element).attributes.length !== (b as Element).attributes.length || !reworded(a, b)) return false;
  }
  return true;
}

export default mount("chart", style, draw);
