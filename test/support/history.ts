export { History } from '../../broker/main/fleet/history.ts';
