/** Mantine's settings: compact controls, but none too small for a finger (WCAG 2.5.8: 24 pixels), no scroll lock (it would inject a style element that the content security policy refuses). */
import { Button, createTheme, Loader, Modal } from '@mantine/core';

export const theme = createTheme({
  primaryColor: 'cyan',
  defaultRadius: 'sm',
  respectReducedMotion: true,
  components: {
    Button: Button.extend({
      vars: (_theme, { size }) => ({ root: size === 'compact-xs' ? { '--button-height': '24px' } : {} }),
    }),
    // A label says nothing on an element without a role.
    Loader: Loader.extend({ defaultProps: { role: 'status' } }),
    Modal: Modal.extend({
      defaultProps: {
        lockScroll: false,
        centered: true,
        closeButtonProps: { 'aria-label': 'Fermer' },
        overlayProps: { backgroundOpacity: 0.6 },
      },
    }),
  },
});
