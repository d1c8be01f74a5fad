import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;

import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.email.UAX29URLEmailTokenizer;
import org.apache.lucene.analysis.miscellaneous.RemoveDuplicatesTokenFilter;
import org.apache.lucene.analysis.pattern.PatternCaptureGroupTokenFilter;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.index.analysis.TokenizerFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;

/** The three kinds of text analysis that the index of keys is mapped with; Elastic's own module is not in Maven Central. */
public class Analysis extends Plugin implements AnalysisPlugin {
    @Override
    public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
        return Map.of("uax_url_email", (i, e, name, s) -> TokenizerFactory.newFactory(name, UAX29URLEmailTokenizer::new));
    }

    @Override
    public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
        return Map.of(
            "unique", (i, e, name, s) -> new Filter(name, RemoveDuplicatesTokenFilter::new),
            "pattern_capture", (i, e, name, s) -> {
                List<String> patterns = s.getAsList("patterns");
                Pattern[] compiled = patterns.stream().map(Pattern::compile).toArray(Pattern[]::new);
                boolean whole = s.getAsBoolean("preserve_original", true);
                return new Filter(name, tokens -> new PatternCaptureGroupTokenFilter(tokens, whole, compiled));
            });
    }

    private record Filter(String name, Function<TokenStream, TokenStream> by) implements TokenFilterFactory {
        @Override
        public TokenStream create(TokenStream tokens) {
            return by.apply(tokens);
        }
    }
}
