export { SteadyWriter } from '../../broker/main/fleet/steady-writer.ts';
