"""The user's lasting choices: directories, profiles (config.toml), tokens (tokens.toml), and the settings in force."""
