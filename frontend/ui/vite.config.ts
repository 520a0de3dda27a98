import { defineConfig } from 'vite';

// Addresses in the output are relative: the server puts a <base> into the page
// that fits the path it is served under. Names carry a hash of the content and
// nothing else, so the same sources give the same bytes on every machine.
export default defineConfig({
  base: './',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: {
    proxy: { '/api': process.env['CLEW'] ?? 'http://127.0.0.1:16686' },
  },
});
