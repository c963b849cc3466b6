// Times by an exchange's clock. Data stay in UTC; only what is told of them is local, so an hour that the
// clocks repeat or leave out does no harm.

import { defaultHorzScaleBehavior, type Time } from "lightweight-charts";

const QUARTER_S = 900; // clocks change on one

/** A time zone that answers fast: the offset of each quarter of an hour is looked up once. */
export class Zone {
  private readonly parts: Intl.DateTimeFormat;
  private readonly offsets = new Map<number, number>();
  /** What people there call it, "IST". */
  readonly label: string;

  constructor(readonly name: string) {
    this.parts = new Intl.DateTimeFormat("en-US", {
      timeZone: name, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric",
      hour: "numeric", minute: "numeric", second: "numeric",
    });
    const named = new Intl.DateTimeFormat("en-IN", { timeZone: name, timeZoneName: "short" }).formatToParts(0);
    this.label = named.find((part) => part.type === "timeZoneName")?.value ?? name;
  }

  /** Seconds since 1970 as the clock there shows them. */
  local(seconds: number): number {
    const quarter = Math.floor(seconds / QUARTER_S);
    let offset = this.offsets.get(quarter);
    if (offset === undefined) {
      const found: Record<string, number> = {};
      for (const { type, value } of this.parts.formatToParts(quarter * QUARTER_S * 1000)) found[type] = Number(value);
      const { year, month, day, hour, minute, second } = found;
      offset = Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - quarter * QUARTER_S;
      this.offsets.set(quarter, offset);
    }
    return seconds + offset;
  }

  /** The date whose UTC fields are those of the clock there. */
  date(seconds: number): Date {
    return new Date(this.local(seconds) * 1000);
  }
}

/** Steps of a clock in seconds, and how much each counts as a mark of the time scale. */
const STEPS: [number, number][] = [
  [43_200, 33], [21_600, 32], [10_800, 31], [3_600, 30], [1_800, 22], [300, 21], [60, 20], [1, 10],
];

function weight(now: number, before: number): number {
  const [a, b] = [new Date(now * 1000), new Date(before * 1000)];
  if (a.getUTCFullYear() !== b.getUTCFullYear()) return 70;
  if (a.getUTCMonth() !== b.getUTCMonth()) return 60;
  if (a.getUTCDate() !== b.getUTCDate()) return 50;
  for (const [step, counts] of STEPS) if (Math.floor(now / step) !== Math.floor(before / step)) return counts;
  return 0;
}

interface Point {
  timeWeight: number;
  originalTime: unknown;
}

/** A time scale whose days and hours begin where the exchange's do. */
export class ZonedScale extends defaultHorzScaleBehavior() {
  zone = new Zone("UTC");

  override fillWeightsForPoints(points: readonly any[], from: number): void {
    const local = (point: Point) => this.zone.local(point.originalTime as number);
    if (!points.length) return;
    let before = from > 0 ? local(points[from - 1]) : local(points[0]) - this.step(points);
    for (let i = from; i < points.length; i++) {
      const now = local(points[i]);
      points[i].timeWeight = weight(now, before);
      before = now;
    }
  }

  private step(points: readonly Point[]): number {
    const [first, last] = [points[0].originalTime as number, points[points.length - 1].originalTime as number];
    return points.length > 1 ? Math.ceil((last - first) / (points.length - 1)) : 1;
  }
}

const two = (value: number) => String(value).padStart(2, "0");
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const DAYS = "Sun Mon Tue Wed Thu Fri Sat".split(" ");

/** The label of a mark: a year, a month, a day, or a time of day with or without seconds. */
export function mark(zone: Zone, time: Time, kind: number): string {
  const at = zone.date(time as number);
  const clock = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  switch (kind) {
    case 0: return String(at.getUTCFullYear());
    case 1: return MONTHS[at.getUTCMonth()];
    case 2: return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
    case 3: return clock;
    default: return `${clock}:${two(at.getUTCSeconds())}`;
  }
}

/** A moment in full, "Sun 22 Nov 2026, 18:13:56 IST"; without the clock for bars of a day. */
export function moment(zone: Zone, seconds: number, width_s: number): string {
  const at = zone.date(seconds);
  const day = `${DAYS[at.getUTCDay()]} ${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`;
  if (width_s >= 86_400) return day;
  const ms = width_s < 1 ? `.${String(at.getUTCMilliseconds()).padStart(3, "0")}` : "";
  const s = width_s < 60 ? `:${two(at.getUTCSeconds())}${ms}` : "";
  return `${day}, ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}${s} ${zone.label}`;
}
