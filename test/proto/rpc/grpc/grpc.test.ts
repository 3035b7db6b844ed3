import { describeRpc } from '../rpc.conformance.ts';
import { GrpcBed } from './grpc-bed.ts';

describeRpc('gRPC', () => new GrpcBed());
