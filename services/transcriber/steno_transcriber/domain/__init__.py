"""Rules of recognition: pure functions of samples, words or numbers."""
