import { describeRpc } from '../rpc.conformance.ts';
import { MemoryBed } from './memory-bed.ts';

describeRpc('in memory', () => new MemoryBed());
