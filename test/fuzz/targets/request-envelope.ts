import {
  decodeEnvelope,
  decodeError,
  encodeEnvelope,
  encodeError,
  envelopeKind,
} from '../../../proto/link/request-envelope.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { FuzzTarget } from '../target.ts';
import { checkDecoder } from './decoder-promises.ts';

/** Requests between nodes, and the errors that answer them. */
export const requestEnvelopeTarget: FuzzTarget = {
  name: 'request-envelope',
  async seeds() {
    const head = { method: 12, callId: 7, deadlineMs: 5_000 };
    const facts = { leader: 3, text: 'a "quoted" one' };
    const error = new HighwaterError('NOT_LEADER', 'ask node 3', { facts });
    return [
      encodeEnvelope({ ...head, kind: envelopeKind.call }, Buffer.from('a message')),
      encodeEnvelope({ ...head, kind: envelopeKind.error }, encodeError(error)),
      encodeEnvelope(
        { ...head, kind: envelopeKind.error },
        Buffer.from('{"code":{"toString":1},"facts":{"a":[[[1]]],"__proto__":{}},"outcome":null}'),
      ),
    ];
  },
  check(input) {
    checkDecoder(
      {
        decode: decodeEnvelope,
        encode: (envelope) => encodeEnvelope(envelope, envelope.message),
      },
      input,
    );
    const error = { decode: (bytes: Buffer) => plain(decodeError(bytes)), encode: encodePlain };
    checkDecoder(error, input);
    checkDecoder(error, input.subarray(12));
  },
};

/** What an error says, without its stack. */
interface PlainError {
  readonly code: HighwaterError['code'];
  readonly message: string;
  readonly facts: HighwaterError['facts'];
  readonly outcome: HighwaterError['outcome'];
}

function plain({ code, message, facts, outcome }: HighwaterError): PlainError {
  return { code, message: message.slice(0, 4096), facts, outcome };
}

function encodePlain({ code, message, facts, outcome }: PlainError): Buffer {
  return encodeError(new HighwaterError(code, message, { facts, outcome }));
}
