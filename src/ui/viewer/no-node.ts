/** Stands for Node's modules in the image decoders: their Node branch never runs in a browser. */
export default {};
