import java.io.Reader;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Properties;

import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.KeyStoreWrapper;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * One Elasticsearch node in this JVM, for tests. Argument: its home folder, with config/ and modules/ inside.
 * What stands in config/secrets.properties it has as if out of its keystore.
 * It lives as long as its standard input stays open: whoever started it may die, it does not stay behind.
 */
public class Server {
    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(arguments[0]).toRealPath();
        System.setProperty("es.path.home", home.toString());
        KeyStoreWrapper secrets = secrets(home.resolve("config").resolve("secrets.properties"));
        Settings paths = Settings.builder().put("path.home", home.toString()).setSecureSettings(secrets).build();
        LogConfigurator.registerErrorListener();
        Environment environment =
            InternalSettingsPreparer.prepareEnvironment(paths, Map.of(), home.resolve("config"), () -> "test");
        LogConfigurator.setNodeName("test");
        LogConfigurator.configure(environment, true);
        new Node(environment, loader(home)).start();
        while (System.in.read() != -1) {
            // Only the end of the input matters.
        }
        Runtime.getRuntime().halt(0);
    }

    private static KeyStoreWrapper secrets(Path file) throws Exception {
        KeyStoreWrapper secrets = KeyStoreWrapper.create();
        Properties told = new Properties();
        if (Files.exists(file)) {
            try (Reader reader = Files.newBufferedReader(file)) {
                told.load(reader);
            }
        }
        for (String name : told.stringPropertyNames()) {
            secrets.setString(name, told.getProperty(name).toCharArray());
        }
        return secrets;
    }

    /** 8.19 wants (set of bundles of modules, of plugins, …); the loaders of bundles differ between 8.19 and 9. */
    private static PluginsLoader loader(Path home) throws Exception {
        Object modules = bundles("loadModulesBundles", home.resolve("modules"));
        Object plugins = bundles("loadPluginsBundles", home.resolve("plugins"));
        Method create = Arrays.stream(PluginsLoader.class.getMethods())
            .filter(m -> m.getName().equals("createPluginsLoader") && m.getParameterCount() == 4)
            .findFirst().orElseThrow();
        return (PluginsLoader) create.invoke(null, modules, plugins, Map.of(), false);
    }

    private static Object bundles(String name, Path folder) throws Exception {
        for (Method method : PluginsLoader.class.getMethods()) {
            if (method.getName().equals(name)) {
                boolean bare = method.getParameterCount() == 1;
                return bare ? method.invoke(null, folder) : method.invoke(null, folder, false);
            }
        }
        throw new NoSuchMethodException(name);
    }
}
