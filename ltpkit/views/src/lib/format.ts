// Numbers as traders read them.

const formats = new Map<string, Intl.NumberFormat>();

function format(key: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.NumberFormat("en-IN", options)));
  return found;
}

/** A price with so many decimals; a dash where there is none. */
export function price(value: number | null | undefined, decimals = 2): string {
  if (value == null || Number.isNaN(value)) return "–";
  return format(`p${decimals}`, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value);
}

/** A quantity: whole where it is, short where it is long. */
export function qty(value: number | null | undefined): string {
  if (value == null || Number.isNaN(value)) return "";
  const size = Math.abs(value);
  if (size >= 1e6) return format("c", { notation: "compact", maximumFractionDigits: 2 }).format(value);
  return format(size < 10 ? "q4" : "q2", { maximumFractionDigits: size < 10 ? 4 : size < 1000 ? 2 : 0 }).format(value);
}

/** A signed change; `change(1.5, 2, "%")` is "+1.50%". */
export function change(value: number | null | undefined, decimals = 2, unit = ""): string {
  if (value == null || Number.isNaN(value)) return "–";
  const sign = value > 0 ? "+" : value < 0 ? "−" : "";
  return `${sign}${price(Math.abs(value), decimals)}${unit}`;
}

/** The class that colours a change. */
export function direction(value: number | null | undefined): "up" | "down" | "" {
  if (value == null || Number.isNaN(value) || value === 0) return "";
  return value > 0 ? "up" : "down";
}

/** How long ago, in the largest unit that is over. */
export function age(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 1) return "now";
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** A time of day in a zone. */
export function clock(ms: number | null | undefined, zone: string): string {
  if (ms == null) return "–";
  return new Date(ms).toLocaleTimeString("en-GB", { timeZone: zone, hour12: false });
}
