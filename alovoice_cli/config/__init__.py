"""What the user settled once: directories, profiles (config.toml), tokens (tokens.toml), and what of it holds now."""
