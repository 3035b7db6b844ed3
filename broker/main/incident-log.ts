/** Lines that tell the story of an incident from a broker's side. */
import type { Logger } from '../../proto/ports/logger.ts';

/** In or out of touch with the controllers. */
export function tellLease(logger: Logger, isHeld: boolean): void {
  if (isHeld) logger.info('lease-held', 'In touch with the controllers.');
  else
    logger.warn(
      'lease-lost',
      'Lost touch with the controllers: weak writes are refused, metadata is marked stale.',
    );
}

/** Whether the controllers let this broker serve. */
export function tellFenced(logger: Logger, isFenced: boolean): void {
  if (isFenced) logger.warn('broker-fenced', 'The controllers fenced this broker.');
  else logger.info('broker-unfenced', 'The controllers let this broker serve.');
}
