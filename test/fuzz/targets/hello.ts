import { encodeHello, readHello } from '../../../proto/link/hello.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { testIdentity } from '../../proto/link/link-world.ts';
import type { FuzzTarget } from '../target.ts';
import { checkDecoder } from './decoder-promises.ts';

/** The first bytes on a link. */
export const helloTarget: FuzzTarget = {
  name: 'hello',
  async seeds() {
    const identity = testIdentity(3);
    const hello = encodeHello({ identity, meantFor: nodeId(2), streamCreditBytes: 65_536 });
    const longer = Buffer.concat([hello, Buffer.alloc(8, 1)]);
    longer.writeUInt16BE(longer.length - 8, 6);
    return [hello, longer];
  },
  check(input) {
    checkDecoder(
      {
        decode(bytes) {
          const reading = readHello(bytes);
          return reading.kind === 'hello' ? reading.hello : undefined;
        },
        encode: encodeHello,
      },
      input,
    );
  },
};
