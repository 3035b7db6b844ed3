/** Light or dark: as the system says, until somebody chooses. */
import { make, setAttribute, setText } from './element.ts';

type Theme = 'system' | 'light' | 'dark';

const key = 'highwater-theme';
const next: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
const words: Readonly<Record<Theme, string>> = {
  system: 'Theme: system',
  light: 'Theme: light',
  dark: 'Theme: dark',
};

/** A button that goes through the three; `onChange` is for what takes its colours by script. */
export function themeButton(onChange: () => void): HTMLElement {
  let theme = chosen();
  const button = make('button', { type: 'button', class: 'plain', id: 'theme' });
  const show = (): void => {
    setAttribute(document.documentElement, 'data-theme', theme === 'system' ? undefined : theme);
    setText(button, words[theme]);
  };
  button.addEventListener('click', () => {
    theme = next[theme];
    localStorage.setItem(key, theme);
    show();
    onChange();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', onChange);
  show();
  return button;
}

function chosen(): Theme {
  const kept = localStorage.getItem(key);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

/** The value of a colour of the style sheet at present. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
