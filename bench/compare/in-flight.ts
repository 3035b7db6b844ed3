/** Keeps so many sends under way until all are acknowledged; the first failure ends it. */
export function keepInFlight(
  { sends, inFlight }: { readonly sends: number; readonly inFlight: number },
  send: (index: number) => Promise<unknown>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let started = 0;
    let done = 0;
    const fill = (): void => {
      while (started < sends && started - done < inFlight) send(started++).then(onDone, reject);
    };
    const onDone = (): void => {
      done++;
      if (done === sends) resolve();
      else fill();
    };
    if (sends === 0) resolve();
    fill();
  });
}
