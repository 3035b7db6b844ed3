/** Reads what two nodes sent each other with the codecs of today, down to the messages. */
import { decodeMessage } from '../../controller/raft/message-codec.ts';
import {
  MetadataFrame,
  MetadataSubscribe,
} from '../../proto/generated/highwater/peer/v1/metadata.ts';
import { FollowerFrame, LeaderFrame } from '../../proto/generated/highwater/peer/v1/replication.ts';
import { controlMethods, controlNotices } from '../../proto/link/control-methods.ts';
import { frameType, readClose, readCredit, readOpen } from '../../proto/link/frame.ts';
import { FrameDecoder } from '../../proto/link/frame-decoder.ts';
import { readHello } from '../../proto/link/hello.ts';
import { decodeEnvelope, envelopeKind } from '../../proto/link/request-envelope.ts';
import { decodeRecords } from '../../proto/metadata/records.ts';
import type { LinkStreamKind } from '../../proto/ports/link.ts';

interface Frame {
  readonly type: number;
  readonly streamId: number;
  readonly header: Buffer;
  readonly payload: Buffer;
}

/** What the messages of one connection are, in order. Throws on what is not known. */
export function readConversation(there: Buffer, back: Buffer): string[] {
  // A connection that was closed before the hello carried nothing.
  if (there.length === 0 || back.length === 0) return [];
  const kinds = new Map<number, LinkStreamKind>();
  const methods = new Map<string, number>();
  const dialled = framesOf(there);
  const answered = framesOf(back);
  for (const { type, streamId, header } of dialled) {
    if (type !== frameType.open) continue;
    const kind = readOpen(header);
    if (kind === undefined) throw new Error(`a stream of unknown kind ${header.toString('hex')}`);
    kinds.set(streamId, kind);
  }
  const sides = [
    { frames: dialled, isDialler: true },
    { frames: answered, isDialler: false },
  ];
  // Calls are read before the answers to them, whichever side they come from.
  for (const { frames, isDialler } of sides) notedCalls(frames, { kinds, methods, isDialler });
  return sides.flatMap(({ frames, isDialler }) =>
    frames.flatMap((frame) => messagesOf(frame, { kinds, methods, isDialler })),
  );
}

interface Reading {
  readonly kinds: ReadonlyMap<number, LinkStreamKind>;
  /** The method of each call, by side, stream and call id. */
  readonly methods: Map<string, number>;
  readonly isDialler: boolean;
}

function framesOf(bytes: Buffer): Frame[] {
  const reading = readHello(bytes);
  if (reading.kind !== 'hello') throw new Error(`the hello is ${reading.kind}`);
  const frames: Frame[] = [];
  const decoder = new FrameDecoder({
    onFrame: (type, streamId, header, payload) => frames.push({ type, streamId, header, payload }),
  });
  const fault = decoder.push(bytes.subarray(reading.used));
  if (fault !== undefined) throw new Error(`the frames are ${fault}`);
  return frames;
}

function notedCalls(frames: readonly Frame[], { kinds, methods, isDialler }: Reading): void {
  for (const { type, streamId, header } of frames) {
    if (type !== frameType.data || kinds.get(streamId) !== 'control') continue;
    const { kind, method, callId } = decodeEnvelope(header);
    if (kind === envelopeKind.call) methods.set(`${isDialler} ${streamId} ${callId}`, method);
  }
}

function messagesOf(frame: Frame, reading: Reading): string[] {
  const { type, streamId, header, payload } = frame;
  switch (type) {
    case frameType.credit:
      if (readCredit(header) === undefined) throw new Error('a credit that cannot be read');
      return [];
    case frameType.close:
      if (readClose(header) === undefined) throw new Error('a close that cannot be read');
      return [];
    case frameType.data:
      break;
    default:
      return [];
  }
  switch (reading.kinds.get(streamId)) {
    case 'raft':
      return [`raft ${decodeMessage(header, payload).body.kind}`];
    case 'control':
      return [controlMessage(frame, reading)];
    case 'metadata':
      if (reading.isDialler) MetadataSubscribe.decode(header);
      else if (MetadataFrame.decode(header).isLast) decodeRecords(payload);
      return ['metadata'];
    case 'replication':
      if (reading.isDialler) FollowerFrame.decode(header);
      else LeaderFrame.decode(header);
      return [reading.isDialler ? 'replication from follower' : 'replication from leader'];
    case 'telemetry':
      return [];
    case undefined:
      throw new Error(`data of stream ${streamId}, which nobody opened`);
  }
}

function controlMessage({ streamId, header }: Frame, { methods, isDialler }: Reading): string {
  const { kind, method, callId, message } = decodeEnvelope(header);
  switch (kind) {
    case envelopeKind.call:
      methodOf(method).request.decode(message);
      return 'control call';
    case envelopeKind.reply:
      methodOf(methods.get(`${!isDialler} ${streamId} ${callId}`) ?? 0).response.decode(message);
      return 'control reply';
    case envelopeKind.notice:
      if (method !== controlNotices.active) throw new Error(`notice ${method} is not known`);
      return 'control notice';
    default:
      return 'control error';
  }
}

function methodOf(number: number) {
  const method = Object.values(controlMethods).find((one) => one.number === number);
  if (method === undefined) throw new Error(`control method ${number} is not known`);
  return method;
}
