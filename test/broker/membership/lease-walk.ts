/**
 * Random walks of one broker and two controllers, one seed each: heartbeats that take their time or are
 * lost, a process that stalls, and a leadership that passes on while the former controller knows nothing
 * of it. The cores of membership and of sessions are the production code.
 *
 * What must hold: at the moment at which a session ends, a broker that looks at its clock has no lease
 * (rule 6.7); and a broker follows the controller of the latest term that it has heard of.
 */
import {
  initialMembership,
  type MembershipEffect,
  type MembershipInput,
  type MembershipState,
  stepMembership,
} from '../../../broker/membership/core/membership.ts';
import {
  everyMembershipRule,
  type MembershipRules,
} from '../../../broker/membership/core/rules.ts';
import {
  createSessions,
  expiredSessions,
  heard,
  listen,
  type SessionsState,
} from '../../../controller/cluster/core/sessions.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { brokerEpoch, revision, term } from '../../../proto/model/offset.ts';
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { clusterOf } from '../../proto/metadata/metadata-builders.ts';
import { Violation } from '../../scenario/replication/violation.ts';

const sessionMs = 2_000;
const image = clusterOf(1);
const ownEpoch = [...image.brokers.values()][0]?.brokerEpoch ?? brokerEpoch(0);

interface Controller {
  readonly id: number;
  readonly sessions: SessionsState;
  term: number;
  thinksActive: boolean;
  hasMajority: boolean;
  hearsBroker: boolean;
  heardMs: number;
}

/** On its way to all controllers that hear the broker, or back from one of them. */
type Message =
  | { readonly kind: 'heartbeat'; readonly sentMs: number }
  | { readonly kind: 'answer'; readonly input: MembershipInput };

/** Walks from one seed. Throws a `Violation` when the broker trusts a lease that is over. */
export function walkLease(
  seed: number,
  options: { readonly steps: number; readonly broken?: keyof MembershipRules | undefined },
): void {
  const { broken } = options;
  const rules = { ...everyMembershipRule, ...(broken === undefined ? {} : { [broken]: false }) };
  const walk = new LeaseWalk(new SeededRandom(seed), rules);
  for (let taken = 0; taken < options.steps; taken++) walk.act();
}

class LeaseWalk {
  readonly #random: SeededRandom;
  readonly #broker: MembershipState;
  readonly #controllers: readonly [Controller, Controller] = [controller(11), controller(12)];
  readonly #messages: Message[] = [];
  #nowMs = 0;
  #latestTerm = 0;

  constructor(random: SeededRandom, rules: MembershipRules) {
    this.#random = random;
    const controllers = this.#controllers.map(({ id }) => nodeId(id));
    this.#broker = initialMembership({ controllers, sessionMs, heartbeatMs: 300, rules });
    this.#step({ ...this.#registration(), kind: 'registered' });
    const [first] = this.#controllers;
    Object.assign(first, { term: 1, thinksActive: true, hasMajority: true });
  }

  act(): void {
    const drawn = this.#random.below(100);
    if (drawn < 40) this.#pass(this.#random.below(200));
    else if (drawn < 60) this.#step({ kind: 'tick', nowMs: this.#nowMs });
    else if (drawn < 93) this.#deliver();
    else if (drawn < 95) this.#messages.splice(this.#random.below(this.#messages.length + 1), 1);
    else if (drawn < 97) this.#passOn();
    else if (drawn < 98) for (const one of this.#controllers) one.hearsBroker = true;
    else this.#pass(this.#random.below(3_000));
  }

  /** Time passes; controllers listen, and whose session has ended is fenced by who may do so. */
  #pass(ms: number): void {
    for (let left = ms; left > 0; left -= 20) {
      const passed = Math.min(20, left);
      this.#nowMs += passed;
      for (const one of this.#controllers) {
        listen(one.sessions, passed);
        if (!one.hasMajority || expiredSessions(one.sessions, image).length === 0) continue;
        this.#fence();
      }
    }
  }

  /** Whatever the broker does first after its clock was looked at, it does without a lease. */
  #fence(): void {
    this.#step({ kind: 'tick', nowMs: this.#nowMs });
    if (this.#broker.isLeaseHeld) {
      throw new Violation(
        `S25 a lease is held until ${this.#broker.leaseUntilMs}, and the session has ended`,
      );
    }
  }

  /**
   * The other controller is elected, which has heard all that the one before has; that one does not
   * know, and may hear the broker alone from here on.
   */
  #passOn(): void {
    const [first, second] = this.#controllers;
    const [before, next] = first.hasMajority ? [first, second] : [second, first];
    if (next.heardMs !== before.heardMs) return;
    before.hasMajority = false;
    next.hearsBroker = this.#random.below(2) === 0;
    Object.assign(next, { term: before.term + 1, thinksActive: true, hasMajority: true });
  }

  #deliver(): void {
    const [message] = this.#messages.splice(this.#random.below(this.#messages.length + 1), 1);
    if (message === undefined) return;
    if (message.kind === 'answer') {
      const { input } = message;
      this.#step(input.kind === 'heartbeat-answered' ? { ...input, nowMs: this.#nowMs } : input);
      return;
    }
    for (const one of this.#controllers) if (one.hearsBroker) this.#hear(one, message.sentMs);
  }

  #hear(one: Controller, sentMs: number): void {
    heard(one.sessions, nodeId(1), ownEpoch);
    one.heardMs = this.#nowMs;
    const answer = {
      isActive: one.thinksActive,
      term: term(one.term),
      renewsLease: one.hasMajority,
      fenced: false,
      mayShutDown: false,
    };
    const from = nodeId(one.id);
    const input = { kind: 'heartbeat-answered', from, sentMs, nowMs: sentMs, answer } as const;
    this.#messages.push({ kind: 'answer', input });
    if (this.#random.below(40) > 0) return;
    // A registration that was asked for twice is answered twice.
    const late = { ...this.#registration(), kind: 'registered' } as const;
    this.#messages.push({
      kind: 'answer',
      input: { ...late, brokerEpoch: brokerEpoch(ownEpoch + 5) },
    });
  }

  #registration() {
    return { from: nodeId(this.#controllers[0].id), brokerEpoch: ownEpoch, revision: revision(3) };
  }

  #step(input: MembershipInput): void {
    const effects = stepMembership(this.#broker, input);
    for (const effect of effects) this.#run(effect);
    if (input.kind === 'heartbeat-answered' && input.answer.isActive) {
      this.#latestTerm = Math.max(this.#latestTerm, input.answer.term);
    }
    if (this.#broker.brokerEpoch !== ownEpoch) {
      throw new Violation('B3.9 the epoch of a process changed');
    }
    if (this.#broker.term < this.#latestTerm) {
      throw new Violation(`B3.5 term ${this.#broker.term} is followed after ${this.#latestTerm}`);
    }
  }

  #run(effect: MembershipEffect): void {
    if (effect.kind === 'heartbeat')
      this.#messages.push({ kind: 'heartbeat', sentMs: this.#nowMs });
  }
}

function controller(id: number): Controller {
  const sessions = createSessions({ sessionMs, hintMs: sessionMs });
  const flags = { term: 0, thinksActive: false, hasMajority: false, hearsBroker: true, heardMs: 0 };
  return { id, sessions, ...flags };
}
