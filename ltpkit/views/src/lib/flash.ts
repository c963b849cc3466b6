// What has changed lights up and fades, by steps that come with the view's own pictures. A CSS animation has the
// whole page laid out and painted sixty times a second for as long as anything moves.

import { still } from "./dom";

const LASTS_MS = 700;
const STEPS = 5;

/** What is lit in one view. */
export class Flashes {
  private readonly lit = new Map<HTMLElement, { way: string; since: number; step: number }>();
  private later?: ReturnType<typeof setTimeout>;

  /** Light an element up in the colour of a way, `up` or `down`. */
  light(el: HTMLElement, way: "up" | "down" | ""): void {
    if (way && !still()) this.lit.set(el, { way, since: Date.now(), step: -1 });
  }

  /** Put an element out, since it shows something else. */
  drop(el: HTMLElement): void {
    if (this.lit.delete(el)) el.style.background = "";
  }

  /** Let what is lit fade. To be called with each picture; where none comes it goes on by itself. */
  fade(): void {
    const now = Date.now();
    for (const [el, one] of this.lit) {
      const step = Math.min(STEPS, Math.floor((STEPS * (now - one.since)) / LASTS_MS));
      if (step === one.step) continue;
      one.step = step;
      const left = 38 * (1 - step / STEPS);
      el.style.background = step < STEPS ? `color-mix(in srgb, var(--ltp-${one.way}) ${left}%, transparent)` : "";
      if (step === STEPS) this.lit.delete(el);
    }
    clearTimeout(this.later);
    if (this.lit.size) this.later = setTimeout(() => this.fade(), (1.5 * LASTS_MS) / STEPS);
  }

  end(): void {
    clearTimeout(this.later);
  }
}
