// Stretches that we know we missed: room for them on the time scale, and their shade.

import type { IChartApiBase, IPanePrimitive, ITimeScaleApi, Time } from "lightweight-charts";
import type { Bar } from "./bars";

/** Begin and end in seconds (no end: still open), why, how many ticks, what came back. */
export interface Missed {
  start: number;
  end: number | null;
  why: string;
  missing: number | null;
  recovered: string | null;
}

/** A gap has at most this much room, in bars: a night without a connection would leave nothing else to see. */
const MOST_ROOM = 24;

export const missedOf = (listed: [number, number | null, string, number | null, string | null][]): Missed[] =>
  listed.map(([start, end, why, missing, recovered]) => ({
    start: start / 1000, end: end === null ? null : end / 1000, why, missing, recovered,
  }));

/** A gap as it is drawn: between the bars of two times, the later one missing where it is still open. */
export interface Hole {
  from: number;
  to: number | null;
  /** Times without a bar in it. */
  room: number[];
  of: Missed;
}

/** Where gaps lie among bars, and how much room each is given. */
export function holes(bars: Bar[], missed: Missed[], width: number): Hole[] {
  const found: Hole[] = [];
  for (const of of missed) {
    let before = upTo(bars, of.start);
    if (before < 0 || (of.end !== null && of.end < bars[0].time)) continue;
    // The bar in which the gap begins has its time: what is missing comes after it.
    const last = of.end === null ? bars.length : upTo(bars, of.end - 1e-9);
    for (; before < Math.min(last, bars.length - 1); before++) {
      const gap = bars[before + 1].time - bars[before].time;
      if (gap > width * 1.5 || before + 1 === last) {
        const empty = Math.max(0, Math.round(gap / width) - 1);
        const room = Math.min(empty, MOST_ROOM);
        found.push({
          from: bars[before].time,
          to: bars[before + 1].time,
          room: Array.from({ length: room }, (_, k) =>
            empty > MOST_ROOM ? bars[before].time + ((k + 1) * gap) / (room + 1) : bars[before].time + (k + 1) * width),
          of,
        });
      }
    }
    if (of.end === null) found.push({ from: bars[bars.length - 1].time, to: null, room: [], of });
  }
  return found;
}

/** The place of the last bar that begins at a time or before. */
function upTo(bars: Bar[], time: number): number {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bars[middle].time <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Shades the holes behind the bars. */
export class Shade implements IPanePrimitive<Time> {
  holes: Hole[] = [];
  colour = "#888";
  text = "#888";
  font = "11px sans-serif";
  private scale: ITimeScaleApi<Time> | null = null;
  private redraw = () => {};

  attached({ chart, requestUpdate }: { chart: IChartApiBase<Time>; requestUpdate: () => void }): void {
    this.scale = chart.timeScale();
    this.redraw = requestUpdate;
  }

  show(found: Hole[]): void {
    this.holes = found;
    this.redraw();
  }

  paneViews() {
    return this.views;
  }

  private readonly views = [
    {
      zOrder: () => "bottom" as const,
      renderer: () => ({
        draw: (target: any) =>
          target.useMediaCoordinateSpace(({ context, mediaSize }: any) => this.paint(context, mediaSize)),
      }),
    },
  ];

  private paint(context: CanvasRenderingContext2D, size: { width: number; height: number }): void {
    const scale = this.scale;
    if (!scale) return;
    const bar = scale.options().barSpacing;
    for (const hole of this.holes) {
      const from = scale.timeToCoordinate(hole.from as Time);
      const to = hole.to === null ? size.width : scale.timeToCoordinate(hole.to as Time);
      if (from === null || to === null || to < 0 || from > size.width) continue;
      const [left, right] = hole.room.length || hole.to === null ? [from + bar / 2, hole.to === null ? to : to - bar / 2] : middle(from, to);
      context.save();
      context.beginPath();
      context.rect(left, 0, right - left, size.height);
      context.clip();
      context.fillStyle = this.colour;
      context.globalAlpha = 0.07;
      context.fillRect(left, 0, right - left, size.height);
      context.globalAlpha = 0.22;
      context.strokeStyle = this.colour;
      context.lineWidth = 1;
      context.beginPath();
      for (let x = Math.floor(left / 8) * 8 - size.height; x < right; x += 8) {
        context.moveTo(x, size.height);
        context.lineTo(x + size.height, 0);
      }
      context.stroke();
      const words = hole.of.why;
      context.font = this.font;
      context.globalAlpha = 1;
      if (context.measureText(words).width + 12 < right - left) {
        context.fillStyle = this.text;
        context.textAlign = "center";
        context.fillText(words, (left + right) / 2, size.height - 10);
      }
      context.restore();
    }
  }
}

/** Between two bars without room: a narrow mark. */
const middle = (from: number, to: number): [number, number] => [(from + to) / 2 - 1.5, (from + to) / 2 + 1.5];
