import { html } from 'htm/preact';
import { useEffect, useState } from 'preact/hooks';

/** @param {{ text: string, label: string }} props */
export const CopyButton = ({ text, label }) => {
  const [message, setMessage] = useState('');
  useEffect(() => {
    if (message === '') return undefined;
    const timer = setTimeout(() => setMessage(''), 3_000);
    return () => clearTimeout(timer);
  }, [message]);
  const copy = () => {
    // Only pages from localhost or by https have a clipboard.
    const copied = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
    copied.then(
      () => setMessage('Copied'),
      () => setMessage('Not copied: select the text and copy it'),
    );
  };
  return html`<span class="copy">
    <button type="button" onClick=${copy}>${label}</button><span role="status">${message}</span>
  </span>`;
};
