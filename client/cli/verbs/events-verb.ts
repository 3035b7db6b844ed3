/** `highwater cluster events`: what happened and why, by the flight recorder. */
import { clusterOptions, wholeNumber, withClient } from '../cluster-option.ts';
import { exitCodes, type Verb } from '../verb.ts';

export const clusterEventsVerb: Verb = {
  name: 'cluster events',
  summary: 'Tell what happened in the cluster and why.',
  options: [
    { name: 'follow', meaning: 'Go on with what happens.' },
    { name: 'from', value: 'SEQUENCE', meaning: 'Begin at this sequence number.' },
    { name: 'kind', value: 'KIND', meaning: 'Only these, such as leader-elected.' },
    { name: 'subject', value: 'SUBJECT', meaning: 'Only about this, such as orders/3.' },
    ...clusterOptions,
  ],
  examples: ['highwater cluster events', 'highwater cluster events --follow --kind isr-shrunk'],
  run: (input) =>
    withClient(input, async (client) => {
      const { output } = input;
      const kind = input.option('kind');
      const subject = input.option('subject');
      const events = client.admin.events({
        follow: input.has('follow'),
        fromSequence: wholeNumber(input, 'from', 0) ?? 0,
        signal: input.signal,
        ...(kind === undefined ? {} : { kind }),
        ...(subject === undefined ? {} : { subject }),
      });
      for await (const { evidence, wallMs, ...event } of events) {
        const time = new Date(wallMs).toISOString();
        if (output.isJson) output.value({ time, ...event, evidence: Object.entries(evidence) });
        else output.say(`${time}  ${event.kind}  ${event.subject}: ${event.reason}`);
      }
      return exitCodes.done;
    }),
};
