export { freePorts } from '../../broker/main/free-ports.ts';
