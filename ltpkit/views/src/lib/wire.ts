// Messages of ltpkit.views.wire: a JSON header, then numeric columns that are read in place.

export interface Header {
  /** Whose it is, and its number, for the answer. */
  view: string;
  n: number;
  /** Of the base that a frame belongs to. */
  epoch: number;
  /** When it was made, in milliseconds since 1970. */
  sent: number;
  state: string;
  error: string | null;
  options: Record<string, any>;
  /** Of the newest tick shown. */
  seq?: number | null;
  stamp?: number | null;
  [more: string]: any;
}

export type Column = Float64Array | Float32Array | Int32Array | Uint8Array;

export interface Message {
  header: Header;
  columns: Record<string, Column>;
}

const TYPES = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u1: Uint8Array };
const text = new TextDecoder();

/** Return the message in what a model holds: a DataView or a buffer; nothing where it is empty. */
export function unpack(value: DataView | ArrayBuffer | Uint8Array | null | undefined): Message | null {
  if (!value || value.byteLength === 0) return null;
  // A copy begins at 0, which typed arrays of eight bytes need.
  const buffer =
    value instanceof ArrayBuffer
      ? value
      : (value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength) as ArrayBuffer);
  const length = new DataView(buffer).getUint32(0, true);
  const { columns: listed, ...header } = JSON.parse(text.decode(new Uint8Array(buffer, 4, length)));
  const columns: Record<string, Column> = {};
  for (const [name, kind, offset, count] of listed as [string, keyof typeof TYPES, number, number][]) {
    columns[name] = new TYPES[kind](buffer, 4 + length + offset, count);
  }
  return { header, columns };
}
