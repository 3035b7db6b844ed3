import type { Bench } from '../harness/bench.ts';
import { grpcGoals, runGrpc } from './grpc.ts';
import { linkGoals, runLink } from './link.ts';

/** Both wires against the plainest thing that moves the same bytes. */
export const transportBench: Bench = {
  name: 'transport',
  purpose: 'The gRPC stream against bare grpc-js and the peer link against plain sockets.',
  goals: [...grpcGoals, ...linkGoals],
  async run(context) {
    const grpc = await runGrpc(context);
    const link = await runLink(context);
    return {
      figures: { ...grpc.figures, ...link.figures },
      samples: { ...grpc.samples, ...link.samples },
      parity: { ...grpc.parity, ...link.parity },
    };
  },
};
