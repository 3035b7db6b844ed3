/**
 * Gives out producer ids from blocks that the controllers committed for this broker (rule B6.1). What a
 * crash leaves of a block is never used again.
 */
import type {
  InitProducerRequest,
  InitProducerResponse,
} from '../../proto/generated/highwater/v1/produce.ts';
import { controlMethods } from '../../proto/link/control-methods.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { type NodeId, producerId } from '../../proto/model/ids.ts';
import { type BrokerEpoch, producerEpoch } from '../../proto/model/offset.ts';
import type { ControllerLinks } from '../membership/controller-links.ts';

export interface ProducerIdsOptions {
  readonly nodeId: NodeId;
  readonly links: ControllerLinks;
  readonly activeController: () => NodeId | undefined;
  readonly brokerEpoch: () => BrokerEpoch | undefined;
}

/** Epochs are 16 bits in a batch. */
const epochMax = 32_767;
const allocateMs = 5_000;

export class ProducerIds {
  readonly #options: ProducerIdsOptions;
  #next = 0;
  #end = 0;
  /** One allocation serves all that wait for it. */
  #allocating: Promise<void> | undefined;

  constructor(options: ProducerIdsOptions) {
    this.#options = options;
  }

  /** A new producer, or the next epoch of one: batches of the earlier epoch are fenced by the first of it. */
  async init(request: InitProducerRequest): Promise<InitProducerResponse> {
    const { producerId: known, producerEpoch: epoch } = request;
    if (known !== undefined && epoch !== undefined && epoch < epochMax) {
      return { producerId: known, producerEpoch: producerEpoch(epoch + 1) };
    }
    while (this.#next >= this.#end) {
      this.#allocating ??= this.#allocate().finally(() => {
        this.#allocating = undefined;
      });
      await this.#allocating;
    }
    return { producerId: producerId(this.#next++), producerEpoch: producerEpoch(0) };
  }

  async #allocate(): Promise<void> {
    const { nodeId, links, activeController, brokerEpoch } = this.#options;
    const active = activeController();
    const epoch = brokerEpoch();
    if (active === undefined || epoch === undefined) {
      throw new HighwaterError(
        'CONTROLLER_NOT_AVAILABLE',
        'a new producer needs the controllers, and none is active',
        { outcome: 'not-written' },
      );
    }
    const block = await links.call(
      active,
      controlMethods.allocateProducerIds,
      { nodeId, brokerEpoch: epoch },
      allocateMs,
    );
    this.#next = block.first;
    this.#end = block.first + block.count;
  }
}
