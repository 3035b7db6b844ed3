/**
 * The header of a frame on a stream that carries requests. All numbers are big-endian.
 *
 * | offset | bytes | field                                                     |
 * |-------:|------:|-----------------------------------------------------------|
 * |      0 |     1 | 1 call, 2 reply, 3 error, 4 notice                        |
 * |      1 |     1 | 0                                                         |
 * |      2 |     2 | method, numbered by the user; 0 in replies and errors     |
 * |      4 |     4 | call id, chosen by the caller, 0 in notices               |
 * |      8 |     4 | calls: milliseconds until the caller gives up; else 0     |
 * |     12 |   ... | the message; of an error: JSON of code, message and facts |
 */
import { type ErrorOutcome, HighwaterError, isErrorCode } from '../model/errors.ts';

export const envelopeKind = { call: 1, reply: 2, error: 3, notice: 4 } as const;
const envelopeBytes = 12;
const messageCharsMax = 4096;

export interface Envelope {
  readonly kind: number;
  readonly method: number;
  readonly callId: number;
  readonly deadlineMs: number;
}

export function encodeEnvelope(envelope: Envelope, message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(envelopeBytes + message.length);
  bytes.writeUInt16BE(envelope.kind << 8, 0);
  bytes.writeUInt16BE(envelope.method, 2);
  bytes.writeUInt32BE(envelope.callId, 4);
  bytes.writeUInt32BE(envelope.deadlineMs, 8);
  bytes.set(message, envelopeBytes);
  return bytes;
}

/** Throws on what is no envelope. The message is a view of the header. */
export function decodeEnvelope(header: Buffer): Envelope & { readonly message: Buffer } {
  const kind = header.length < envelopeBytes ? 0 : header.readUInt8(0);
  if (kind < envelopeKind.call || kind > envelopeKind.notice) {
    throw new HighwaterError('INVALID_REQUEST', 'not the envelope of a request');
  }
  return {
    kind,
    method: header.readUInt16BE(2),
    callId: header.readUInt32BE(4),
    deadlineMs: header.readUInt32BE(8),
    message: header.subarray(envelopeBytes),
  };
}

export function encodeError(error: HighwaterError): Buffer {
  const { code, facts, outcome } = error;
  const message = error.message.slice(0, messageCharsMax);
  return Buffer.from(JSON.stringify({ code, message, facts, outcome }));
}

/** The error that the other side threw. A code that is not known here becomes INTERNAL. */
export function decodeError(bytes: Buffer): HighwaterError {
  const fields = parseObject(bytes.toString());
  const { code, message, outcome } = fields;
  const text = typeof message === 'string' ? message : '';
  if (typeof code !== 'string' || !isErrorCode(code)) {
    const facts = isScalar(code) ? { code: String(code) } : {};
    return new HighwaterError('INTERNAL', text, { facts });
  }
  const known = isOutcome(outcome) ? { outcome } : {};
  return new HighwaterError(code, text, { facts: readFacts(fields['facts']), ...known });
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch (caught) {
    if (!(caught instanceof SyntaxError)) throw caught;
  }
  throw new HighwaterError('INVALID_REQUEST', 'not an encoded error');
}

function isOutcome(value: unknown): value is ErrorOutcome {
  return value === 'not-written' || value === 'maybe-written';
}

/** Facts are texts; what is no scalar has no text that could be trusted to exist. */
function readFacts(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  const facts = Object.entries(value).filter(([, fact]) => isScalar(fact));
  return Object.fromEntries(facts.map(([key, fact]) => [key, String(fact)]));
}

function isScalar(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
