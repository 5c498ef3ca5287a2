// Both ends of a talk, on the audio thread: what the microphone hears, in pieces of a fiftieth of a second, and the
// agent's speech, played without gaps and dropped at once when somebody breaks in.
const PIECE = 1024;
const TELL_EVERY = 0.1; // seconds

class Microphone extends AudioWorkletProcessor {
  #piece = new Int16Array(PIECE);
  #filled = 0;
  #loudest = 0;

  process([input]) {
    const samples = input[0];
    if (!samples) return true;
    for (const sample of samples) {
      const level = Math.max(-1, Math.min(1, sample));
      this.#loudest = Math.max(this.#loudest, Math.abs(level));
      this.#piece[this.#filled++] = Math.round(level * 32767);
      if (this.#filled < PIECE) continue;
      const sent = this.#piece;
      this.port.postMessage({ sound: sent.buffer, level: this.#loudest }, [sent.buffer]);
      this.#piece = new Int16Array(PIECE);
      this.#filled = 0;
      this.#loudest = 0;
    }
    return true;
  }
}

class Loudspeaker extends AudioWorkletProcessor {
  #queue = []; // {segment, samples, at}
  #segment = 0;
  #played = 0; // samples of this segment
  #told = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data.clear) this.#queue = [];
      else this.#queue.push({ segment: data.segment, samples: new Int16Array(data.sound), at: 0 });
    };
  }

  process(_, [output]) {
    const out = output[0];
    let filled = 0;
    while (filled < out.length && this.#queue.length) {
      const piece = this.#queue[0];
      if (piece.segment !== this.#segment) {
        if (this.#segment) this.#tell();
        this.#segment = piece.segment;
        this.#played = 0;
      }
      const count = Math.min(out.length - filled, piece.samples.length - piece.at);
      for (let n = 0; n < count; n++) out[filled + n] = piece.samples[piece.at + n] / 32768;
      filled += count;
      piece.at += count;
      this.#played += count;
      if (piece.at === piece.samples.length) this.#queue.shift();
    }
    for (let channel = 1; channel < output.length; channel++) output[channel].set(out);
    if (filled && (currentTime - this.#told > TELL_EVERY || !this.#queue.length)) this.#tell();
    return true;
  }

  #tell() {
    this.#told = currentTime;
    this.port.postMessage({ segment: this.#segment, ms: (this.#played / sampleRate) * 1000 });
  }
}

registerProcessor("microphone", Microphone);
registerProcessor("loudspeaker", Loudspeaker);
