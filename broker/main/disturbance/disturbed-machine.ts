/**
 * A machine whose node can be paused, isolated, slowed and ended, from within one process. For clusters
 * in tests: the node itself is the ordinary one.
 */
import type { NodeSettings } from '../../../proto/model/node-settings.ts';
import { nodeClock } from '../../../proto/ports/node/node-clock.ts';
import { createNodeMachine, type Machine, type NodeMachine } from '../machine.ts';
import { GatedNetwork } from './gated-network.ts';
import { gatedRpcServer } from './gated-rpc-server.ts';
import { HeldClock } from './held-clock.ts';
import { InputGate } from './input-gate.ts';

export interface Disturbance {
  /** Holds its clock and its inputs, as a stop of the process would. */
  pause(): void;
  resume(): void;
  /** Destroys its connections and refuses others; false lets them come again. */
  isolate(isIsolated: boolean): void;
  /** Whatever reaches it takes so much longer. */
  slow(ms: number): void;
  /** Cuts it off and lets its own ending run: the node is about to be abandoned. */
  beginEnd(): void;
  /** Nothing of it happens any more. */
  end(): void;
}

/** The machine of one node, and what can be done to it. */
export function disturbedMachine(settings: NodeSettings): {
  readonly machine: Machine;
  readonly disturbance: Disturbance;
} {
  const clock = new HeldClock(nodeClock);
  const base = createNodeMachine(settings, undefined, clock);
  const gate = new InputGate(nodeClock);
  const network = new GatedNetwork(base.network, gate, nodeClock);
  const servers = new Set<ReturnType<NodeMachine['createRpcServer']>>();
  const isolate = (isIsolated: boolean): void => {
    network.isolate(isIsolated);
    for (const server of servers) server.refuse(isIsolated);
  };
  const machine: Machine = {
    ...base,
    network,
    createRpcServer() {
      const server = base.createRpcServer();
      servers.add(server);
      return gatedRpcServer(server, gate);
    },
  };
  const disturbance: Disturbance = {
    pause() {
      clock.hold();
      gate.hold();
    },
    resume() {
      clock.release();
      gate.release();
    },
    isolate,
    slow: (ms) => gate.delay(ms),
    beginEnd() {
      gate.end();
      isolate(true);
      clock.release();
    },
    end: () => clock.end(),
  };
  return { machine, disturbance };
}
