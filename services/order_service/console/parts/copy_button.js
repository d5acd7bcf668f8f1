import { html } from 'htm/preact';
import { useEffect, useState } from 'preact/hooks';

/** @param {{ text: string, label: string }} props */
export const CopyButton = ({ text, label }) => {
  const [said, setSaid] = useState('');
  useEffect(() => {
    if (said === '') return undefined;
    const timer = setTimeout(() => setSaid(''), 3_000);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = () => {
    // Only pages of this machine and those by https have a clipboard.
    const copied = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
    copied.then(
      () => setSaid('Copied'),
      () => setSaid('Select and copy by hand'),
    );
  };
  return html`<span class="copy">
    <button type="button" onClick=${copy}>${label}</button><span role="status">${said}</span>
  </span>`;
};
