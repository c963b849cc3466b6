// What every view shares on the page: messages in, answers out, theme, age, visibility.

import baseStyle from "./base.css";
import { answer, never, soon } from "./stage";
import { coloursOf, themeOf, watchTheme, type Colours } from "./theme";
import { unpack, type Header, type Message } from "./wire";

/** A model as anywidget and Panel both give it. */
export interface Model {
  get(name: string): any;
  set(name: string, value: any): void;
  on(event: string, changed: () => void): void;
  off(event: string, changed: () => void): void;
  save_changes(): void;
}

/** What a view may use. */
export interface Page {
  /** The view's own element; it has the class `ltp`. */
  readonly root: HTMLElement;
  /** The part that is drawn into. */
  readonly body: HTMLElement;
  readonly head: HTMLElement;
  colours: Colours;
  /** The letters that it is written in, as a canvas names them. */
  font: string;
  /** Milliseconds since a picture came, or since somebody looks again: none are sent where nobody does. */
  elapsed(): number;
  /** Tell the kernel what the user has chosen. */
  choose(name: string, value: unknown): void;
  /** What is chosen: what the user has just asked for, else what the kernel says. */
  chosen(name: string): any;
}

/** One kind of view. Each call is made inside an animation frame. */
export interface Drawing {
  base?(message: Message): void;
  frame(message: Message): void;
  /** The colours, or the size, are others. */
  restyle?(): void;
  destroy?(): void;
}

/** Nothing heard for so long: the kernel is gone, or too busy to say that it is not. */
const STALE_MS = 3_500;

const looking = new WeakMap<Model, Set<object>>();

const element = (kind: string, className: string): HTMLElement => {
  const made = document.createElement(kind);
  made.className = className;
  return made;
};

/** Return what anywidget and Panel ask of a module: `render`. */
export function mount(kind: string, style: string, draw: (page: Page) => Drawing) {
  function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
    const root = element("div", `ltp ltp-${kind}`);
    const sheet = document.createElement("style");
    sheet.textContent = baseStyle + style;
    const head = element("div", "ltp-head");
    const body = element("div", "ltp-body");
    const note = element("div", "ltp-note");
    note.setAttribute("role", "status");
    root.append(sheet, head, body, note);
    root.dataset.ltpView = kind;
    // Keys are the view's: for JupyterLab "d d" would delete the cell, and Enter go to its text.
    root.dataset.lmSuppressShortcuts = "true";
    root.addEventListener("keydown", (event) => event.stopPropagation());
    el.append(root);

    let base: Message | null = null;
    let waiting: Record<string, unknown> = {}; // messages that came since the last picture
    let last: Header | null = null;
    let drawing: Drawing | null = null;
    let heardAt = Date.now();
    const own: Record<string, { value: unknown; until: number }> = {};

    const page: Page = {
      root,
      body,
      head,
      colours: {} as Colours,
      font: "sans-serif",
      elapsed: () => Date.now() - heardAt,
      choose(name, value) {
        const at = Date.now();
        own[name] = { value, until: at + 2_000 };
        // All choices each time: while the kernel is busy a later message replaces an earlier one.
        model.set("chosen", { ...model.get("chosen"), [name]: [value, at] });
        model.save_changes();
      },
      chosen(name) {
        const mine = own[name];
        if (mine && Date.now() < mine.until) return mine.value;
        return (last ?? base?.header)?.options[name];
      },
    };

    const restyle = () => {
      root.dataset.theme = themeOf(root);
      page.colours = coloursOf(root);
      page.font = getComputedStyle(root).fontFamily;
      drawing?.restyle?.();
    };

    const paint = () => {
      if (!root.isConnected) return;
      // Read here and not where they come: of several only the last is shown.
      const newBase = unpack(waiting.base as any);
      const newFrame = unpack(waiting.frame as any);
      waiting = {};
      const palette = (newFrame ?? newBase)?.header.options.palette;
      if (palette && palette !== root.dataset.palette) {
        root.dataset.palette = palette;
        restyle();
      }
      drawing ??= draw(page);
      if (newBase) {
        base = newBase;
        drawing.base?.(newBase);
      }
      if (!newFrame) return;
      const { header } = newFrame;
      const belongs = base !== null && header.epoch === base.header.epoch;
      last = header;
      if (belongs && header.seq !== undefined) {
        drawing.frame(newFrame);
        if (header.stamp != null) root.dataset.ltpStamp = String(header.stamp);
        if (header.seq != null) root.dataset.ltpSeq = String(header.seq);
        if (header.options.symbol) root.dataset.ltpSymbol = header.options.symbol;
      }
      root.dataset.ltpState = header.state;
      root.dataset.ltpFrame = String(header.n);
      tell();
      answer(model, header.view, header.n);
    };

    const tell = () => {
      const age = Date.now() - heardAt;
      const stale = age > STALE_MS && isSeen();
      root.toggleAttribute("data-stale", stale);
      let words = "";
      if (stale) words = `No news for ${Math.floor(age / 1000)} s: the kernel was restarted or is held up.`;
      else if (last?.error) words = last.error;
      else if (last && QUIET[last.state]) words = QUIET[last.state];
      if (note.textContent !== words) note.textContent = words;
      note.classList.toggle("shown", words !== "");
      note.classList.toggle("bad", !stale && !!last?.error);
    };

    const onBase = () => {
      waiting.base = model.get("base");
      heardAt = Date.now();
      soon(paint);
    };
    const onFrame = () => {
      waiting.frame = model.get("frame");
      heardAt = Date.now();
      soon(paint);
    };

    let onScreen = true;
    const isSeen = () => onScreen && !document.hidden;
    const lookers = looking.get(model) ?? new Set<object>();
    looking.set(model, lookers);
    const look = () => {
      const before = lookers.size > 0;
      if (isSeen()) {
        if (!lookers.has(root)) heardAt = Date.now(); // what was not sent is no sign of trouble
        lookers.add(root);
      } else lookers.delete(root);
      const now = lookers.size > 0;
      if (now !== before || model.get("seen") !== now) {
        model.set("seen", now);
        model.save_changes();
      }
    };
    const watcher = new IntersectionObserver((entries) => {
      onScreen = entries[entries.length - 1].isIntersecting;
      look();
    });
    const sizes = new ResizeObserver(() => drawing?.restyle?.());

    model.on("change:base", onBase);
    model.on("change:frame", onFrame);
    document.addEventListener("visibilitychange", look);
    watcher.observe(root);
    sizes.observe(root);
    const unwatchTheme = watchTheme(restyle);
    const clock = setInterval(tell, 1_000);
    restyle();
    onBase();
    onFrame();
    look();

    return () => {
      model.off("change:base", onBase);
      model.off("change:frame", onFrame);
      document.removeEventListener("visibilitychange", look);
      watcher.disconnect();
      sizes.disconnect();
      unwatchTheme();
      clearInterval(clock);
      never(paint);
      drawing?.destroy?.();
      lookers.delete(root);
      if (lookers.size === 0) {
        model.set("seen", false);
        model.save_changes();
      }
      root.remove();
    };
  }
  return { render };
}

const QUIET: Record<string, string> = {
  connecting: "Connecting …",
  stale: "The feed is silent.",
  backing_off: "The connection is down; trying again.",
  refused: "The broker refused the connection.",
  stopped: "The stream is stopped.",
};
