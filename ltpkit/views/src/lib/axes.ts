// Where axes have their marks, and what is written there.

/** Return prices to mark, at most about so many: round ones, whole steps apart. */
export function ticksOfPrice(low: number, high: number, step: number, most: number): number[] {
  const least = (high - low) / Math.max(most, 1) / step;
  let apart = 1;
  for (let factor = 1; apart < least; factor *= 10) {
    apart = [1, 2, 5, 10].map((n) => n * factor).find((n) => n >= least) ?? 10 * factor;
  }
  const found: number[] = [];
  for (let n = Math.ceil(low / (apart * step) - 1e-9); n * apart * step <= high; n++) found.push(n * apart * step);
  return found;
}

const STEPS = [0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

/** Return times to mark, at most about so many: round ones on the zone's clock, in milliseconds since 1970. */
export function ticksOfTime(from: number, to: number, zone: string, most: number): number[] {
  const step = 1000 * (STEPS.find((s) => (to - from) / 1000 / s <= most) ?? STEPS[STEPS.length - 1]);
  const ahead = offset(from, zone);
  const found: number[] = [];
  for (let at = Math.ceil((from + ahead) / step) * step - ahead; at <= to; at += step) found.push(at);
  return found;
}

/** Return how far a zone's clock is ahead of UTC, in milliseconds. */
function offset(at: number, zone: string): number {
  const parts = Object.fromEntries(format(zone, "whole").formatToParts(at).map((one) => [one.type, Number(one.value)]));
  const local = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour % 24, parts.minute, parts.second);
  return local - Math.floor(at / 1000) * 1000;
}

const KINDS = {
  minute: { hour: "2-digit", minute: "2-digit" },
  second: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  tenth: { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 1 },
  whole: { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" },
} as const;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string, kind: keyof typeof KINDS): Intl.DateTimeFormat {
  const key = `${zone} ${kind}`;
  let found = formats.get(key);
  if (!found) {
    const options: Intl.DateTimeFormatOptions = { ...KINDS[kind], timeZone: zone, hourCycle: "h23" };
    formats.set(key, (found = new Intl.DateTimeFormat("en-GB", options)));
  }
  return found;
}

/** A time of day on a zone's clock. */
export function timeText(at: number, zone: string, kind: "minute" | "second" | "tenth"): string {
  return format(zone, kind).format(at);
}
