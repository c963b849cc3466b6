// Bars as a page holds them, and what is worked out from them: moving averages, the day's VWAP.

import type { Column, Message } from "./wire";

export interface Bar {
  /** Seconds since 1970, UTC. */
  time: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  growing: boolean;
}

const at = (columns: Record<string, Column>, i: number): Bar => ({
  time: columns.start[i] / 1000,
  open: columns.open[i],
  high: columns.high[i],
  low: columns.low[i],
  close: columns.close[i],
  volume: columns.volume[i],
  growing: columns.growing?.[i] === 1,
});

const same = (a: Bar, b: Bar) =>
  a.close === b.close && a.volume === b.volume && a.high === b.high && a.low === b.low &&
  a.open === b.open && a.growing === b.growing && a.time === b.time;

/** The part of a message that is of one of several instruments, `lengths` long each. */
export function part(message: Message, lengths: number[], which: number): Bar[] {
  const from = lengths.slice(0, which).reduce((sum, length) => sum + length, 0);
  return Array.from({ length: lengths[which] }, (_, i) => at(message.columns, from + i));
}

/** Put the newest bars in place of those from the first of their times on; return the first that differs. */
export function renew(bars: Bar[], tail: Bar[]): number {
  if (!tail.length) return bars.length;
  let from = bars.length;
  while (from > 0 && bars[from - 1].time >= tail[0].time) from--;
  let first = bars.length;
  for (let i = 0; i < tail.length; i++) {
    const old = bars[from + i];
    if (!old || !same(old, tail[i])) {
      first = Math.min(first, from + i);
      bars[from + i] = tail[i];
    }
  }
  bars.length = from + tail.length;
  return first;
}

/** The mean of so many closes up to a bar; nothing where there are fewer. */
export function average(bars: Bar[], i: number, length: number): number | null {
  if (i + 1 < length) return null;
  let sum = 0;
  for (let k = i - length + 1; k <= i; k++) sum += bars[k].close;
  return sum / length;
}

/** Average prices weighted by volume, anew each day: of bars as they are, and of the last as it grows. */
export class Vwap {
  private readonly turnover: number[] = [];
  private readonly volume: number[] = [];

  constructor(private readonly day: (seconds: number) => number) {}

  /** Work out the average at a bar, those before it known; nothing on a day without volume so far. */
  next(bars: Bar[], i: number): number | null {
    const bar = bars[i];
    const goes = i > 0 && this.day(bars[i - 1].time) === this.day(bar.time);
    const volume = bar.volume || 0;
    this.turnover[i] = (goes ? this.turnover[i - 1] : 0) + ((bar.high + bar.low + bar.close) / 3) * volume;
    this.volume[i] = (goes ? this.volume[i - 1] : 0) + volume;
    return this.volume[i] > 0 ? this.turnover[i] / this.volume[i] : null;
  }
}
