/**
 * One row of a settings table: its name, form, default and meaning. Validation, `--help` and
 * docs/configuration.md are all made from the rows, so they cannot disagree.
 */
export type SettingForm =
  | {
      readonly kind: 'integer';
      readonly min: number;
      readonly max: number;
      readonly unit?: SettingUnit;
    }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  | { readonly kind: 'boolean' }
  /** `pattern` is a whole-text match; `expected` says it in words. */
  | { readonly kind: 'text'; readonly pattern: RegExp; readonly expected: string };

/** How a number is written for people. */
export type SettingUnit = 'ms' | 'bytes' | 'count';

export interface SettingRow {
  readonly name: string;
  readonly form: SettingForm;
  /** Text of the value when nothing is set; undefined where there is none. */
  readonly default: string | undefined;
  readonly meaning: string;
}

/** Why a value is refused; names the setting, the value and what is accepted. */
export interface SettingRefusal {
  readonly name: string;
  readonly value: string;
  readonly accepted: string;
}

/** What a form accepts, in words. */
export function acceptedBy(form: SettingForm): string {
  switch (form.kind) {
    case 'integer':
      return `a whole number from ${form.min} to ${form.max}${form.unit === undefined ? '' : ` (${form.unit})`}`;
    case 'choice':
      return `one of ${form.values.join(', ')}`;
    case 'boolean':
      return 'true or false';
    case 'text':
      return form.expected;
  }
}

/** Checks one value; undefined means that it is accepted. */
export function refusalOf(row: SettingRow, value: string): SettingRefusal | undefined {
  if (isAccepted(row.form, value)) return undefined;
  return { name: row.name, value, accepted: acceptedBy(row.form) };
}

/** Checks a name that no row has: says which one was probably meant. */
export function unknownSetting(
  name: string,
  value: string,
  known: readonly string[],
): SettingRefusal {
  const near = known.filter((other) => isNear(name, other));
  const hint =
    near.length > 0 ? `did you mean ${near.join(' or ')}?` : `one of ${known.join(', ')}`;
  return { name, value, accepted: `a known setting; ${hint}` };
}

/** The sentence that a refusal is told with. */
export function refusalText(refusal: SettingRefusal): string {
  return `setting ${refusal.name}: ${JSON.stringify(refusal.value)} is not accepted; expected ${refusal.accepted}`;
}

function isAccepted(form: SettingForm, value: string): boolean {
  switch (form.kind) {
    case 'integer': {
      if (!/^-?\d{1,16}$/.test(value)) return false;
      const number = Number(value);
      return Number.isSafeInteger(number) && number >= form.min && number <= form.max;
    }
    case 'choice':
      return form.values.includes(value);
    case 'boolean':
      return value === 'true' || value === 'false';
    case 'text':
      return form.pattern.test(value);
  }
}

/** One edit apart, or one inside the other: enough to catch typing mistakes. */
function isNear(a: string, b: string): boolean {
  if (a.length > 3 && (b.includes(a) || a.includes(b))) return true;
  if (Math.abs(a.length - b.length) > 1) return false;
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  const [restA, restB] = [a.slice(same), b.slice(same)];
  return restA.slice(1) === restB || restA === restB.slice(1) || restA.slice(1) === restB.slice(1);
}
